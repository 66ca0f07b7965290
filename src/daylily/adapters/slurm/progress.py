"""How far jobs say that they are, in files of the cluster's shared folder."""

import json
from collections.abc import Mapping
from typing import Final

from daylily.adapters.local.job_output import progress_told
from daylily.domain.workset import Progress

READ: Final = (
    "import json, os, sys\n"
    "for path in sys.argv[1:]:\n"
    "    try:\n"
    "        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)\n"
    "    except OSError:\n"
    "        continue\n"
    "    try: print(json.dumps([path, os.read(file, 4096).decode('utf-8', 'replace')]))\n"
    "    except OSError: pass\n"
    "    finally: os.close(file)\n"
)
"""
Python for a login node: tell the beginnings of files.

Each on a line of its own, quoted: what one job has written is never taken for what another has.
"""


def read_progress(text: str, keys: Mapping[str, str]) -> dict[str, Progress]:
    """
    Return how far jobs are that say so, by key.

    Args:
        text: What ``READ`` has written.
        keys: Those of the jobs, by the path of the file.
    """
    found: dict[str, Progress] = {}
    for line in text.splitlines():
        try:
            path, said = json.loads(line)
            progress = progress_told(said)
        except (ValueError, TypeError):
            continue  # a greeting of the login node
        if path in keys and progress is not None:
            found[keys[path]] = progress
    return found
