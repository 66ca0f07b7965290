"""Commands that get all that they are given, or do not run: who gives it may die half-way."""

from typing import Final

_WHOLE: Final = (
    "import subprocess, sys\n"
    "given = sys.stdin.buffer.read()\n"
    "if len(given) != int(sys.argv[1]): sys.exit('what was sent did not arrive whole')\n"
    "sys.exit(subprocess.run(sys.argv[2:], input=given).returncode)\n"
)
"""Python for a login node: run a command on its standard input, if that has so many bytes."""


def whole(python: str, given: bytes, *command: str) -> tuple[str, ...]:
    """
    Return what runs a command on *given*, though not on a part of it.

    The end of a standard input looks the same whether all was sent or the sender was killed: sbatch
    would take a script that is cut off, and a job could succeed without having done anything.
    """
    return (python, "-c", _WHOLE, str(len(given)), *command)
