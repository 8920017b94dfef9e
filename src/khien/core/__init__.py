"""What every capability stands on: database server and session, SQL files, settings, errors, progress."""
