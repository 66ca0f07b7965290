"""What a command of a lab's own leaves on the disks of this machine."""

from pathlib import Path

from tests.integration.checksums import check_lists


def test_results_are_listed(tmp_path: Path) -> None:
    """One list of checksums a workset, also where each sample has a task of its own."""
    check_lists(tmp_path)
