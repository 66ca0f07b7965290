"""
The command line ``daylily``.

This package imports nothing but Click: each command's module is loaded when it is called, so that
``daylily --help`` and completion answer at once.
"""

from daylily.entrypoints.cli.group import cli, main

__all__ = ["cli", "main"]
