"""Print the names of what daylily needs when it runs, with all extras but `testing`: one a line."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires

EXTRAS = ("server", "aws", "pipelines")


def closure(name: str, extras: tuple[str, ...] = (), seen: set[str] | None = None) -> Iterator[str]:
    """Yield what a distribution needs, and what that needs, as far as it is installed here."""
    from packaging.requirements import Requirement

    seen = set() if seen is None else seen
    for text in requires(name) or ():
        wanted = Requirement(text)
        marker = wanted.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        found = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if found in seen:
            continue
        seen.add(found)
        try:
            deeper = list(closure(found, tuple(wanted.extras), seen))
        except PackageNotFoundError:
            continue
        yield found
        yield from deeper


if __name__ == "__main__":
    print("\n".join(sorted(closure("daylily", EXTRAS))))
