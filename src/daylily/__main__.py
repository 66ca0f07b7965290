"""``python -m daylily``: the command, where it is not on the path."""

from daylily.entrypoints.cli import main

if __name__ == "__main__":
    main()
