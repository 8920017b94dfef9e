"""Where visits come from: check-ins by code, timetables, and what checkpoints and vaccination sessions already know."""
