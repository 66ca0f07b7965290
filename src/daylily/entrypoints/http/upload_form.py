"""A form with one file, whose folder browsers name before it or after it."""

import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from attrs import define, field

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import Fault, InvalidInputError
from daylily.entrypoints.http.forms import Hashed, Part, parts_of
from daylily.ports.object_store import ObjectInfo


@define
class UploadForm:
    """Stores the ``file`` of a form under its own name, in the folder ``prefix``."""

    app: App
    who: Principal
    customer_id: str
    prefix: str | None
    claim: Callable[[str], None]
    """Told what the form asks for, before it is done; raises if that has been done before."""
    takes: Callable[[Part], bool] = lambda _: False
    """Takes a further part, of which this says whether it is known."""
    _faults: list[Fault] = field(init=False, factory=list)

    def store(self, body: BinaryIO, boundary: str) -> ObjectInfo:
        """
        Store the file, and return what is known of it.

        Raises:
            InvalidInputError: There is no file in it, or something else, or no sound name.
            BadDocumentError: It is no form.
            UnavailableError: The store does not answer.
        """
        parts = parts_of(body, boundary)
        file = self._until_file(parts)
        if file is None:
            self._faults.append(Fault("file", "is required: a part with a file name"))
            raise InvalidInputError(self._faults)
        name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
        digest = hashlib.sha256()

        def named() -> str:
            if self._until_file(parts) is not None:
                self._faults.append(Fault("file", "is there twice: send one form for each"))
            if self._faults:
                raise InvalidInputError(self._faults)
            folder = (self.prefix or "").removesuffix("/")
            key = f"{folder}/{name}" if folder else name
            self.claim(f"{key}\0{digest.hexdigest()}")
            return key

        token = self.app.world.chance.token()
        source = cast(BinaryIO, Hashed(file.file, digest.update))
        return self.app.files.arrive(self.who, self.customer_id, token, source, named)

    def _until_file(self, parts: Iterator[Part]) -> Part | None:
        """Take fields until there comes a file."""
        for part in parts:
            if part.name == "file" and part.filename is not None:
                return part
            if part.name == "prefix" and part.filename is None:
                self.prefix = part.text()
            elif not self.takes(part):
                text = "is not known here: send 'file', and perhaps 'prefix'"
                self._faults.append(Fault(part.name[:40], text))
        return None
