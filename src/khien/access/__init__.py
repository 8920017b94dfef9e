"""Accounts, agencies, roles, areas and purposes; row-level security; the hash-chained access log."""
