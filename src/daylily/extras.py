"""Parts of daylily that need more than it brings: each says in one line what to install."""

from importlib.util import find_spec


class MissingExtraError(ImportError):
    """A part of daylily needs libraries that are not installed."""

    def __init__(self, extra: str, missing: str) -> None:
        self.extra = extra
        super().__init__(f"this needs {missing}, which is not there: pip install 'daylily[{extra}]'")


def needs(extra: str, *modules: str) -> None:
    """
    Pass if all *modules* can be imported; nothing is imported.

    Args:
        extra: What brings them, as in ``pip install 'daylily[server]'``.

    Raises:
        MissingExtraError: Some cannot; it is an ImportError.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise MissingExtraError(extra, " and ".join(missing))
