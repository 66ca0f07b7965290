"""Certificates of a server that speaks HTTPS itself."""

import logging
import ssl
import threading
from pathlib import Path

from attrs import define, field

from daylily.domain.errors import Fault, InvalidInputError

_log = logging.getLogger(__name__)


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """
    Return what a server needs to speak TLS 1.2 and later; a certificate may be renewed meanwhile.

    Args:
        certificate: PEM file with the server's own certificate first, then those that vouch for it.
        key: PEM file with its private key, without a passphrase.

    Raises:
        InvalidInputError: A file cannot be read, or they do not belong together.
    """
    faults = [
        Fault(str(path), "cannot be read")
        for path in (certificate, key)
        if not (path.is_file() and _readable(path))
    ]
    if faults:
        raise InvalidInputError(faults)
    context = _loaded(certificate, key)
    context.sni_callback = _Renewed(certificate, key, context).choose
    return context


@define
class _Renewed:
    """
    Has each new connection served with the files as they are by now.

    Certificates are renewed every few weeks, and nobody stops a server for that. What cannot be read,
    or is written half, is passed over: until it is whole, the last sound one serves.
    """

    certificate: Path
    key: Path
    context: ssl.SSLContext
    _stamp: object = field(init=False)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    @_stamp.default
    def _first_stamp(self) -> object:
        return self._stamped()

    def choose(self, connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        """Give a connection that begins the certificate of this moment."""
        with self._mutex:
            stamp = self._stamped()
            if stamp not in {None, self._stamp}:
                self._stamp = stamp  # tried once, whatever comes of it
                try:
                    self.context = _loaded(self.certificate, self.key)
                    _log.info("the certificate in %s has been renewed", self.certificate)
                except InvalidInputError as error:
                    _log.error("the old certificate goes on serving: %s", error)
            connection.context = self.context

    def _stamped(self) -> object:
        try:
            found = [path.stat() for path in (self.certificate, self.key)]
        except OSError:
            return None
        return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in found)


def _loaded(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without this OpenSSL would ask for a passphrase at the terminal, and wait.
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:  # which an SSLError is, too
        reason = (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
        raise InvalidInputError.of(
            str(certificate), f"and {key} are no certificate and its key: {reason}"
        ) from error
    return context


def _readable(path: Path) -> bool:
    try:
        path.open("rb").close()
    except OSError:
        return False
    return True
