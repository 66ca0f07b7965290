"""Certificates of a server that speaks HTTPS itself."""

import ssl
from pathlib import Path

from daylily.domain.errors import Fault, InvalidInputError


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """
    Return what a server needs to speak TLS 1.2 and later.

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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without this OpenSSL would ask for a passphrase at the terminal, and wait.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
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
