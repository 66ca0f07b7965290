"""How far jobs say that they are: what a program on the login node reads, and what is made of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from daylily.adapters.slurm.progress import READ, read_progress
from daylily.domain.workset import Progress


def told(*paths: Path) -> str:
    """Return what is told of files."""
    command = [sys.executable, "-c", READ, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def test_progress_of_many(tmp_path: Path) -> None:
    """Each job tells of itself alone, whatever it has written; one that tells nothing is left out."""
    one, absent, odd, pipe, liar = (
        tmp_path / name for name in ("one", "absent", "odd", "pipe", "liar")
    )
    one.write_text('{"done": 2, "total": 4, "message": "pipeline_running"}\n')
    odd.write_bytes(b'\xff{"done": -1}')
    os.mkfifo(pipe)
    lie = json.dumps([str(one), '{"done": 4, "total": 4, "message": "complete"}'])
    liar.write_text(f"{lie}\n{lie}\n")
    files = (liar, one, absent, odd, pipe, tmp_path)

    found = read_progress(f"Welcome!\n{told(*files)}", {str(path): path.name for path in files})

    assert found == {"one": Progress(2, 4, "pipeline_running")}


def test_a_huge_file(tmp_path: Path) -> None:
    """Only the beginning is read of what a job has filled its file with."""
    path = tmp_path / "huge"
    path.write_text('{"done": 1' + " " * 1_000_000 + "}")

    assert len(told(path)) < 5000
    assert read_progress(told(path), {str(path): "huge"}) == {}


def test_what_makes_no_sense() -> None:
    """Lines that are none of ours are passed over, and files that nobody asked for."""
    lines = ["", "[1]", "{}", '["x", 3]', '["y", "{\\"done\\": 1, \\"total\\": 2}"]', "null", '"xy"']

    assert read_progress("\n".join(lines), {"x": "ws-1/1"}) == {}
