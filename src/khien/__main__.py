"""`python -m khien` is `khien`."""

from khien.cli import main

main()
