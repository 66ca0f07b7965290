"""Check that every fragment in changelog.d/ is one that the changelog can take."""

import re
import sys
from pathlib import Path

NAME = re.compile(r"\d+(-[a-z0-9-]+)?\.(added|changed|fixed|removed|security)\.md")


def faults(folder: Path) -> list[str]:
    """Return what is wrong, one line for each fragment."""
    found = []
    for fragment in sorted(folder.iterdir()):
        if fragment.name == "README.md":
            continue
        if not NAME.fullmatch(fragment.name):
            found.append(
                f"{fragment.name}: not <issue>[-<slug>].<added|changed|fixed|removed|security>.md"
            )
        elif not fragment.read_text(encoding="utf-8").strip().endswith("."):
            found.append(f"{fragment.name}: must hold whole sentences")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(faults(Path(__file__).parent.parent / "changelog.d")) or 0)
