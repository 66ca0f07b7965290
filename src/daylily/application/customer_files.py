"""What customers keep in their own space: uploads that worksets are made of."""

import contextlib
from collections.abc import Callable
from typing import BinaryIO, Final

from attrs import evolve, frozen

from daylily.application.places import Places
from daylily.application.storage_quota import StorageQuota
from daylily.application.stored_file import StoredFile
from daylily.domain.customer_keys import (
    OWN_FOLDER,
    PLACEHOLDER,
    canonical_key,
    is_shown,
    writable_key,
)
from daylily.domain.customers import Principal
from daylily.domain.errors import AlreadyExistsError, ConflictError, NotFoundError
from daylily.ports.customers import Customers
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import Page

ARRIVING: Final = f"{OWN_FOLDER}/arriving"
"""Where files stand whose names are not known before their last byte."""


@frozen
class CustomerFiles:
    """
    A customer's files; keys are relative to the customer's space, which nothing leads out of.

    Every method raises NotFoundError where there is no such customer for the caller, InvalidInputError
    where a key is not a sound one, and UnavailableError where the store does not answer. Whatever
    stores a file raises QuotaError where the customer's room is used up.
    """

    objects: ObjectStore
    customers: Customers
    places: Places
    quota: StorageQuota

    def put(
        self,
        who: Principal,
        customer_id: str,
        key: str,
        source: BinaryIO,
        *,
        size: int | None = None,
    ) -> ObjectInfo:
        """
        Store a file, streaming it.

        Args:
            size: Bytes, where they are known before.

        Raises:
            InvalidInputError: *key* is no relative path, or a name that daylily itself uses.
        """
        self.check(who, customer_id)
        key = writable_key(key)
        with self.quota.letting_in(customer_id, source, size=size) as bounded:
            stored = self.objects.put(self.places.file(customer_id, key), bounded)
        return evolve(stored, key=key)

    def arrive(
        self,
        who: Principal,
        customer_id: str,
        token: str,
        source: BinaryIO,
        named: Callable[[], str],
    ) -> ObjectInfo:
        """
        Store a file whose key is known only once all of it has come.

        Args:
            token: Random letters and digits.
            named: Says the key, when the source has been read.

        Raises:
            InvalidInputError: The key is no relative path, or a name that daylily itself uses.
        """
        self.check(who, customer_id)
        arrived = self.places.file(customer_id, f"{ARRIVING}/{token}")
        with self.quota.letting_in(customer_id, source) as bounded:
            try:
                self.objects.put(arrived, bounded)
                key = writable_key(named())
                return evolve(self.objects.copy(arrived, self.places.file(customer_id, key)), key=key)
            finally:
                self.objects.delete(arrived)

    def take_in(self, who: Principal, customer_id: str, name: str, token: str, source: BinaryIO) -> str:
        """
        Store a file that a submission brings along, unseen, and return its key.

        Args:
            name: What its sender calls it.
            token: Random letters and digits, the same for all files of the submission.

        Raises:
            InvalidInputError: *name* is no name of a file, or one that daylily itself uses.
        """
        self.check(who, customer_id)
        key = f"{ARRIVING}/{token}/{writable_key(name)}"
        # It does not stay: for the workset's copy of it there has to be room again.
        with self.quota.letting_in(customer_id, source, kept=False) as bounded:
            self.objects.put(self.places.file(customer_id, key), bounded)
        return key

    def drop(self, customer_id: str, key: str) -> None:
        """Remove what was taken in, now that its submission has come to an end."""
        self.objects.delete(self.places.file(customer_id, key))

    def list(
        self, who: Principal, customer_id: str, *, prefix: str = "", cursor: str | None = None
    ) -> Page[ObjectInfo]:
        """Return files whose keys start with *prefix*, at any depth."""
        self.check(who, customer_id)
        folder = self.places.folder(customer_id)
        page = self.objects.list(folder + prefix, cursor=cursor)
        named = (evolve(info, key=info.key.removeprefix(folder)) for info in page.items)
        return Page(tuple(info for info in named if is_shown(info.key)), page.cursor)

    def browse(
        self,
        who: Principal,
        customer_id: str,
        folder: str = "",
        *,
        cursor: str | None = None,
        limit: int = 1000,
    ) -> Page[ObjectInfo | str]:
        """
        Return what is directly in a folder: files, and folders with a ``/`` at the end.

        Args:
            folder: Empty, or the folder's key with or without a last ``/``.
        """
        self.check(who, customer_id)
        space = self.places.folder(customer_id)
        prefix = f"{canonical_key(folder.removesuffix('/'), 'prefix')}/" if folder else ""
        page = self.objects.browse(space + prefix, cursor=cursor, limit=limit)
        found: list[ObjectInfo | str] = []
        for each in page.items:
            if isinstance(each, str):
                found.append(each.removeprefix(space))
            else:
                found.append(evolve(each, key=each.key.removeprefix(space)))
        shown = (each for each in found if is_shown(each if isinstance(each, str) else each.key))
        return Page(tuple(shown), page.cursor)

    def look(self, who: Principal, customer_id: str, key: str) -> StoredFile:
        """
        Return a file, to be read.

        Raises:
            NotFoundError: There is none of that key.
        """
        self.check(who, customer_id)
        key = canonical_key(key)
        place = self.places.file(customer_id, key)
        try:
            if not is_shown(key):
                raise NotFoundError(key)
            return StoredFile(evolve(self.objects.info(place), key=key), self.objects, place)
        except NotFoundError:
            raise NotFoundError(f"there is no file {key}") from None

    def make_folder(self, who: Principal, customer_id: str, key: str) -> str:
        """
        Have a folder there, even while it is empty; return its key.

        Raises:
            InvalidInputError: *key* is no relative path, or a name that daylily itself uses.
            ConflictError: A file has that name.
        """
        self.check(who, customer_id)
        key = writable_key(key.removesuffix("/"), "folder_path")
        with contextlib.suppress(AlreadyExistsError):
            self.objects.put(self._placeholder(customer_id, key), b"", if_absent=True)
        return f"{key}/"

    def delete(self, who: Principal, customer_id: str, key: str) -> bool:
        """
        Remove a file, or a folder that is empty (its key ends in ``/``); return whether it was there.

        Raises:
            InvalidInputError: *key* is no relative path, or a name that daylily itself uses.
            ConflictError: The folder is not empty.
        """
        self.check(who, customer_id)
        folder, key = key.endswith("/"), writable_key(key.removesuffix("/"))
        if not folder:
            return self.objects.delete(self.places.file(customer_id, key))
        standing = self.objects.list(f"{self.places.file(customer_id, key)}/", limit=2).items
        if any(is_shown(info.key) for info in standing):
            raise ConflictError(f"the folder {key} is not empty: remove what is in it first")
        return self.objects.delete(self._placeholder(customer_id, key))

    def check(self, who: Principal, customer_id: str) -> None:
        """
        Let through who may see a customer's files.

        Raises:
            NotFoundError: There is no such customer for the caller.
        """
        if not who.sees(customer_id):
            raise NotFoundError(f"there is no customer {customer_id}")
        self.customers.get(customer_id)

    def _placeholder(self, customer_id: str, folder: str) -> str:
        return self.places.file(customer_id, f"{folder}/{PLACEHOLDER}")
