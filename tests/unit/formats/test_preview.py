"""Previews of strangers' files: bounded in what is read, in what is made of it, and in time."""

import gzip
import io
import tarfile
import zipfile
import zlib
from typing import BinaryIO

from daylily.adapters.formats.preview import NAMES_MOST, READ_MOST, UNPACKED_MOST, Preview, preview_of


def look(data: bytes, lines: int = 20) -> Preview:
    """Return the preview of a file of those bytes, and check how much was read for it."""
    read = 0

    def open_part(start: int, stop: int) -> BinaryIO:
        nonlocal read
        read += max(0, min(stop, len(data)) - start)
        return io.BytesIO(data[start:stop])

    found = preview_of(open_part, len(data), lines=lines)
    assert read <= 2 * READ_MOST
    assert len(found.lines) <= lines or found.file_type in {"zip", "tar", "tar.gz"}
    return found


def tar_of(*names: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """Return an archive of files of those names."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.type, member.linkname = size, kind, link
            archive.addfile(member, io.BytesIO(bytes(size)))
    return made.getvalue()


def test_text() -> None:
    """Its first lines, how many there are, and whether there is more."""
    assert look(b"one\r\ntwo\nthree") == Preview(
        file_type="text", lines=("one", "two", "three"), total_lines=3
    )
    assert look(b"1\n2\n3\n", lines=2) == Preview(
        file_type="text", lines=("1", "2"), total_lines=3, truncated=True
    )
    assert look(b"") == Preview(file_type="text")


def test_text_without_end() -> None:
    """One line of megabytes is cut, and so is the character at which reading ended."""
    found = look(b"x" + "試".encode() * (READ_MOST // 3 + 9))
    assert (found.file_type, found.truncated, len(found.lines[0])) == ("text", True, 501)


def test_what_would_break_a_terminal_or_a_page_is_replaced() -> None:
    """Escapes, and characters that turn text around, are shown as replaced."""
    assert look("a\x1b[2Jb\u202ec\td".encode()).lines == ("a\ufffd[2Jb\ufffdc\td",)


def test_binary() -> None:
    """What is no text shows nothing."""
    for data in (b"\x00\x01\x02", b"\xff\xfe\xfd", bytes(range(256))):
        assert look(data) == Preview(file_type="binary", truncated=True)


def test_packed_text() -> None:
    """Gzip of one member or several (as bgzip makes it) is unpacked, and cut short it still shows."""
    whole = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    assert look(whole) == Preview(file_type="gzip", lines=("one", "two"), total_lines=2)
    cut = gzip.compress(b"".join(f"line {n}\n".encode() for n in range(9000)))[:2000]
    assert look(cut).lines[0] == "line 0"
    damaged = look(gzip.compress(b"text\n")[:10] + b"\xff" * 50)
    assert (damaged.file_type, damaged.lines) == ("binary", ())


def test_a_gzip_bomb() -> None:
    """D-47: 64 megabytes in 64 kilobytes are unpacked only as far as the bound."""
    pack = zlib.compressobj(9, wbits=31)
    bomb = b"".join(pack.compress(bytes(1 << 20)) for _ in range(64)) + pack.flush()
    found = look(bomb)
    assert (found.file_type, found.truncated) == ("binary", True)
    lines = zlib.compressobj(9, wbits=31)
    many = b"".join(lines.compress(b"\n" * (1 << 20)) for _ in range(32)) + lines.flush()
    told = look(many)
    assert (told.file_type, told.truncated, told.total_lines) == ("gzip", True, UNPACKED_MOST)


def test_tar() -> None:
    """Names as they are: nothing is unpacked to anywhere."""
    names = ("../../etc/passwd", "/absolute", "späte Probe", "a\x1bb")
    assert look(tar_of(*names)) == Preview(
        file_type="tar",
        lines=("../../etc/passwd", "/absolute", "späte Probe", "a\ufffdb"),
        total_lines=4,
    )
    links = look(tar_of("link", kind=tarfile.SYMTYPE, link="/etc/shadow"))
    assert links.lines == ("link",)
    packed = look(gzip.compress(tar_of("a", "b")))
    assert (packed.file_type, packed.lines, packed.truncated) == ("tar.gz", ("a", "b"), False)


def test_long_archives() -> None:
    """Twenty names are listed; what comes after a large member is left."""
    many = look(tar_of(*(f"{n}" for n in range(50))))
    assert (len(many.lines), many.truncated) == (NAMES_MOST, True)
    large = look(gzip.compress(tar_of("a", "b", size=2 * UNPACKED_MOST)))
    assert (large.file_type, large.lines, large.truncated) == ("tar.gz", ("a",), True)


def test_tar_that_lies() -> None:
    """Headers of absurd sizes, damaged ones and long names without end: an answer, and soon."""
    header = tarfile.TarInfo("pax")
    header.size, header.type = 1 << 60, tarfile.XHDTYPE
    assert look(header.tobuf(tarfile.GNU_FORMAT)).file_type == "tar"
    name = tarfile.TarInfo("././@LongLink")
    name.size, name.type = 1, tarfile.GNUTYPE_LONGNAME
    chain = (name.tobuf(tarfile.GNU_FORMAT) + bytes(512)) * 3000
    assert look(chain) == Preview(file_type="tar", truncated=True)
    assert look(bytes(257) + b"ustar" + b"\xff" * 2000).truncated


def zip_of(*names: str) -> bytes:
    """Return an archive of empty files of those names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return made.getvalue()


def test_zip() -> None:
    """Its directory is read, and none of its files."""
    assert look(zip_of("../up", "b/c")) == Preview(
        file_type="zip", lines=("../up", "b/c"), total_lines=2
    )
    many = look(zip_of(*map(str, range(30))))
    assert (len(many.lines), many.total_lines, many.truncated) == (NAMES_MOST, 30, True)


def test_a_zip_bomb() -> None:
    """A directory that is larger than is read, or no directory: said, and nothing more."""
    bomb = zip_of(*(f"{n:0>200}" for n in range(12_000)))
    assert look(bomb) == Preview(file_type="zip", truncated=True)
    assert look(zip_of("a")[:30]) == Preview(file_type="binary", truncated=True)
    assert look(b"PK\x05\x06" + b"\xff" * 18) == Preview(file_type="binary", truncated=True)
