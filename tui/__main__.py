"""`python -m tui` is `fleet`."""

from tui.cli import main

main()
