"""`khien bench identity`: checks over HTTP beside what a plain server would do, on a register made for it."""
