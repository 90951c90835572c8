"""`python -m callsheet` is the command line."""

from callsheet.cli import main

main()
