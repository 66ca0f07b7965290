"""What a command has that is a program of its own."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import click

from daylily.entrypoints.cli.base import Common
from daylily.entrypoints.cli.failures import exit_code_of


class Program(click.Command):
    """A command that ends the process, with the exit codes of all programs of ours."""

    program: ClassVar[str]
    """What it is called, wherever it is started from."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run it; turn what stopped it into one clear line and its exit code."""
        common = extra.setdefault("obj", None) or Common()
        extra["obj"] = common
        if os.environ.get("NO_COLOR"):  # rich heeds it by itself, Click does not
            extra.setdefault("color", False)
        run = partial(
            super().main, args, prog_name or self.program, complete_var, standalone_mode=False, **extra
        )
        code = exit_code_of(run, common, args)
        if not standalone_mode:
            return code
        raise SystemExit(code if isinstance(code, int) else 0)
