"""Files and folders among a customer's own, uploads and previews as JSON has them."""

from attrs import frozen


@frozen(kw_only=True)
class EntryView:
    """A file or a folder among a customer's own (contract 4.4)."""

    key: str
    name: str
    type: str
    """``file`` or ``folder``."""
    size: int
    size_formatted: str
    modified: str | None
    """None of folders, which are nothing but the beginning of keys."""
    icon: str
    etag: str | None = None
    modified_at: str | None = None


@frozen(kw_only=True)
class FolderPage:
    """Part of a listing of a customer's files."""

    files: tuple[EntryView, ...]
    prefix: str
    bucket: str | None
    cursor: str | None = None


@frozen(kw_only=True)
class PreviewView:
    """The beginning of a file, or the names in an archive."""

    filename: str
    file_type: str
    size: int
    lines: tuple[str, ...]
    total_lines: int
    truncated: bool


@frozen(kw_only=True)
class StoredView:
    """A file that has been stored, and the words of contract 4.4 for it."""

    success: bool
    key: str
    bucket: str | None
    size: int
    etag: str
    modified_at: str


@frozen(kw_only=True)
class PartView:
    """A part of an upload: its bytes from ``start`` up to ``stop`` go to ``url`` by ``PUT``."""

    number: int
    url: str
    start: int
    stop: int


@frozen(kw_only=True)
class UploadView:
    """An upload that is under way."""

    upload_id: str
    key: str
    size: int
    offset: int
    """How many bytes have been appended."""
    part_size: int | None
    parts: tuple[PartView, ...]
    """Up to a hundred; none where bytes are appended here."""


@frozen(kw_only=True)
class LinkView:
    """An address from which a file can be fetched without a token, for a while."""

    url: str
    expires_in: int
    """Seconds."""


@frozen(kw_only=True)
class FolderMade:
    """A folder that is there now."""

    success: bool
    folder: str


@frozen(kw_only=True)
class Removed:
    """A file or folder that is gone."""

    success: bool
    deleted: str
