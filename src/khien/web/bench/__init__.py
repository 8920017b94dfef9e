"""Measurements that need the pages or the API as they are served."""
