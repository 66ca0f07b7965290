"""What DirectoryObjectStore does with what people and broken disks leave in its directory."""

import errno
import os
import stat
import time
from pathlib import Path

import pytest

from daylily.adapters.local.object_store import LEFT_OVER, DirectoryObjectStore
from daylily.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.ports.paging import every

SECRET = b"the neighbours' secret"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "bucket"


@pytest.fixture
def store(root: Path) -> DirectoryObjectStore:
    """Return an empty store."""
    return DirectoryObjectStore(root)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder outside the store, with a file in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(SECRET)
    return folder


def keys(store: DirectoryObjectStore) -> list[str]:
    """Return all keys of a store."""
    return [info.key for info in every(lambda cursor: store.list("", cursor=cursor, limit=2))]


def content(store: DirectoryObjectStore, key: str) -> bytes:
    """Return what is stored under a key."""
    with store.open(key) as stream:
        return stream.read()


class TestLinks:
    """A symbolic link is no object and no folder, wherever it leads."""

    def test_a_linked_file_is_absent(
        self, store: DirectoryObjectStore, root: Path, outside: Path
    ) -> None:
        """What a link leads to cannot be read, copied or listed, and the error says why."""
        (root / "link").symlink_to(outside / "secret")
        for call in (store.open, store.info, lambda key: store.copy(key, "copy")):
            with pytest.raises(NotFoundError, match="symbolic link"):
                call("link")
        assert store.delete("link") is False
        assert (keys(store), store.entries("").items) == ([], ())
        assert (root / "link").is_symlink()

    def test_a_linked_folder_is_absent(
        self, store: DirectoryObjectStore, root: Path, outside: Path
    ) -> None:
        """Nothing is read, listed, written or deleted through a folder that is a link."""
        (root / "x").mkdir()
        (root / "x" / "link").symlink_to(outside)
        for prefix in ("x/link/", "x/link/s"):
            assert store.list(prefix).items == ()
        assert store.entries("x/link/").items == store.entries("x/").items == ()
        assert keys(store) == []
        with pytest.raises(NotFoundError):
            store.open("x/link/secret")
        with pytest.raises(ConflictError, match="symbolic link"):
            store.put("x/link/new", b"x")
        assert store.delete("x/link/secret") is False
        assert [path.name for path in outside.iterdir()] == ["secret"]

    def test_a_put_replaces_the_link_itself(
        self, store: DirectoryObjectStore, root: Path, outside: Path
    ) -> None:
        """Writing under the name of a link never writes to where it leads."""
        (root / "link").symlink_to(outside / "secret")
        with pytest.raises(AlreadyExistsError):
            store.put("link", b"x", if_absent=True)
        store.put("link", b"mine")
        assert content(store, "link") == b"mine"
        assert (outside / "secret").read_bytes() == SECRET

    def test_a_linked_root_is_fine(self, tmp_path: Path, outside: Path) -> None:
        """Where the store is, is the operator's to say."""
        (tmp_path / "link").symlink_to(outside)
        store = DirectoryObjectStore(tmp_path / "link")
        assert content(store, "secret") == SECRET

    def test_links_within_are_links_too(self, store: DirectoryObjectStore, root: Path) -> None:
        """One rule for all links: it cannot be got wrong."""
        store.put("a/b", b"x")
        (root / "alias").symlink_to("a")
        with pytest.raises(NotFoundError):
            store.open("alias/b")


class TestOddities:
    """What is in the way, and what is no object."""

    def test_an_object_is_no_folder(self, store: DirectoryObjectStore) -> None:
        """Nothing can be put under an object, nor in place of a folder; both stay as they were."""
        store.put("a", b"x")
        store.put("folder/b", b"x")
        for if_absent in (False, True):
            with pytest.raises(ConflictError, match="is a file"):
                store.put("a/b", b"y", if_absent=if_absent)
            with pytest.raises(ConflictError, match="is a folder") as refused:
                store.put("folder", b"y", if_absent=if_absent)
            assert not isinstance(refused.value, AlreadyExistsError)
        with pytest.raises(ConflictError):
            store.copy("a", "folder")
        assert keys(store) == ["a", "folder/b"]

    @pytest.mark.parametrize("key", ["x" * 256, "a/" + "é" * 128 + "/b"])
    def test_a_part_too_long_for_a_file_name(self, store: DirectoryObjectStore, key: str) -> None:
        """S3 takes such a key and a directory cannot: that is said, by every call."""
        for call in (store.open, store.info, store.delete, lambda key: store.put(key, b"x")):
            with pytest.raises(InvalidInputError, match="too long"):
                call(key)

    @pytest.mark.parametrize("key", [".tmp", ".tmp/x", ".lock", ".lock/x", ".TMP/x"])
    def test_the_stores_own_files(self, store: DirectoryObjectStore, key: str) -> None:
        """No key can name what the store keeps for itself."""
        store.put("x/.tmp/y", b"x")  # deeper down the name is free
        for call in (store.open, store.info, store.delete, lambda key: store.put(key, b"x")):
            with pytest.raises(InvalidInputError, match="own"):
                call(key)
        assert (keys(store), store.entries("").items) == (["x/.tmp/y"], ("x/",))
        assert store.list(".t").items == store.list(".tmp/").items == ()
        assert store.entries(".tmp/").items == ()

    def test_pipes_and_odd_names_are_passed_over(self, store: DirectoryObjectStore, root: Path) -> None:
        """A named pipe, and names that no key can have, are not listed and block nobody."""
        os.mkfifo(root / "pipe")
        (root / "line\nend").touch()
        (root / "back\\slash").touch()
        Path(os.fsdecode(bytes(root) + b"/not-\xff-utf8")).touch()
        store.put("a", b"x")

        assert (keys(store), store.entries("").items) == (["a"], ("a",))
        with pytest.raises(NotFoundError):
            store.open("pipe")
        assert store.delete("pipe") is False

    def test_hand_made_files_are_objects(self, store: DirectoryObjectStore, root: Path) -> None:
        """What people drop into the directory is there like anything else, hidden files too."""
        (root / "ws").mkdir()
        (root / "ws" / ".hold").write_bytes(b"x")
        info = store.info("ws/.hold")
        assert store.delete("ws/.hold", if_etag=info.etag) is True

    def test_a_copy_takes_no_room(self, store: DirectoryObjectStore, root: Path) -> None:
        """A copy shares the bytes on disk, and neither put nor delete shows through."""
        store.put("a", b"x" * 100_000)
        store.copy("a", "b/c")
        assert (root / "a").stat().st_ino == (root / "b" / "c").stat().st_ino
        store.put("a", b"new")
        assert content(store, "b/c") == b"x" * 100_000

    def test_a_file_system_without_hard_links(
        self, store: DirectoryObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Copies are made byte by byte, and of many creators still one wins."""

        def no_links(*_: object, **__: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", no_links)
        store.put("a", b"one", if_absent=True)
        with pytest.raises(AlreadyExistsError):
            store.put("a", b"two", if_absent=True)
        store.copy("a", "b")
        assert (content(store, "a"), content(store, "b")) == (b"one", b"one")

    def test_locations_are_absolute_paths(self, store: DirectoryObjectStore, root: Path) -> None:
        """A pipeline finds object and folder at a path."""
        store.put("ws-1/a", b"x")
        assert Path(store.location("ws-1/a")).read_bytes() == b"x"
        assert store.location("ws-1/") == str(root / "ws-1")

    def test_browsing_passes_over_folders_that_hold_nothing(self, store: DirectoryObjectStore) -> None:
        """A folder is there for what is in it, at any depth: without that, it is not."""
        for key in ("a/b/c/x", "a/b/y", "kept/b/x"):
            store.put(key, b"x")
        store.delete("a/b/c/x")
        assert list(store.browse("a/b/").items) == [store.info("a/b/y")]
        store.delete("a/b/y")
        assert list(store.browse("").items) == ["kept/"]


class TestOutage:
    """A directory that cannot be read is no empty store."""

    def test_a_root_that_is_gone(self, store: DirectoryObjectStore, root: Path) -> None:
        """After the directory has been moved away every call raises, and makes no new one."""
        store.put("a", b"x")
        root.rename(root.with_name("elsewhere"))
        self.assert_unavailable(store)
        assert not root.exists()

    def test_a_root_that_is_another(self, store: DirectoryObjectStore, root: Path) -> None:
        """An empty directory in its place (a volume that is not mounted) is not taken for it."""
        store.put("a", b"x")
        root.rename(root.with_name("elsewhere"))
        root.mkdir()
        self.assert_unavailable(store)
        assert list(root.iterdir()) == []

    def assert_unavailable(self, store: DirectoryObjectStore) -> None:
        """Assert that no call gives an answer."""
        for call in (
            lambda: store.put("b", b"x"),
            lambda: store.open("a"),
            lambda: store.info("a"),
            lambda: store.copy("a", "b"),
            lambda: store.delete("a"),
            lambda: store.list(""),
            lambda: store.entries(""),
            lambda: store.changed("", None),
        ):
            with pytest.raises(UnavailableError):
                call()

    @pytest.mark.parametrize(
        "number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EDQUOT]
    )
    def test_a_disk_that_refuses(
        self, store: DirectoryObjectStore, root: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        """A full, broken or read-only disk is an outage with its reason, and nothing half-written."""
        store.put("a", b"old")

        def refuse(_: int) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", refuse)
            with pytest.raises(UnavailableError, match=os.strerror(number)):
                store.put("a", b"new")
            with pytest.raises(UnavailableError):
                store.copy("a", "b")
        assert content(store, "a") == b"old"
        assert keys(store) == ["a"]
        assert list((root / ".tmp").iterdir()) == []

    def test_a_root_that_cannot_be(self, tmp_path: Path) -> None:
        """A file in the place of the directory is told at once."""
        (tmp_path / "file").touch()
        for path in (tmp_path / "file", tmp_path / "file" / "bucket"):
            with pytest.raises(UnavailableError):
                DirectoryObjectStore(path)


class TestUpkeep:
    """Temporary files, permissions and marks."""

    def test_only_the_owner_gets_in(self, store: DirectoryObjectStore, root: Path) -> None:
        """A directory that the store made is for nobody else."""
        assert stat.S_IMODE(root.stat().st_mode) == 0o700

    def test_left_over_files_are_swept(
        self, store: DirectoryObjectStore, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What a writer left that died is removed after a day, and what may be in use is not."""
        (root / ".tmp" / "left").write_bytes(b"x")
        DirectoryObjectStore(root)
        assert (root / ".tmp" / "left").exists()
        now = time.time()
        with monkeypatch.context() as patched:
            patched.setattr(time, "time", lambda: now + LEFT_OVER.total_seconds() + 60)
            DirectoryObjectStore(root)
        assert not (root / ".tmp" / "left").exists()

    def test_a_put_leaves_nothing_else(self, store: DirectoryObjectStore, root: Path) -> None:
        """After puts, copies, deletes and refusals no temporary file is left."""
        store.put("a", b"x", if_absent=True)
        store.copy("a", "b")
        store.copy("a", "b")
        store.delete("a")
        with pytest.raises(AlreadyExistsError):
            store.put("b", b"x", if_absent=True)
        assert list((root / ".tmp").iterdir()) == []

    def test_rest_is_told_from_change(self, store: DirectoryObjectStore, root: Path) -> None:
        """Once a folder has been at rest the mark stays, until a name comes or goes."""
        store.put("w/a/x", b"x")
        os.utime(root / "w", (1e9, 1e9))
        mark = store.changed("w/", None)
        assert mark is not None
        assert [store.changed("w/", mark) for _ in range(3)] == [None] * 3

        store.put("w/a/y", b"no new name in w/")
        assert store.changed("w/", mark) is None
        store.put("w/b/x", b"x")
        assert store.changed("w/", mark) not in {None, mark}

    def test_a_change_within_a_tick_is_not_missed(
        self, store: DirectoryObjectStore, root: Path
    ) -> None:
        """A folder that changed just now may change again at the same time of its clock."""
        store.put("w/a", b"x")
        mark = store.changed("w/", None)
        stamp = (root / "w").stat()
        (root / "w" / "b").touch()
        os.utime(root / "w", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        assert store.changed("w/", mark) is not None
