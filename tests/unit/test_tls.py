"""Certificates: what they must be, and what people are told if they are not."""

import contextlib
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from daylily.domain.errors import InvalidInputError
from daylily.entrypoints.tls import tls_context


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key."""
    made = trustme.CA().issue_cert("localhost")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    return certificate, key


def test_old_versions_of_tls_are_not_spoken(files: tuple[Path, Path]) -> None:
    """1.2 is the oldest, whatever the system would allow."""
    assert tls_context(*files).minimum_version is ssl.TLSVersion.TLSv1_2


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    """A folder is none, either."""
    with pytest.raises(InvalidInputError) as caught:
        tls_context(tmp_path / "cert.pem", tmp_path)
    assert [fault.place for fault in caught.value.faults] == [
        *(str(tmp_path / "cert.pem"), str(tmp_path))
    ]


def test_a_key_of_another_certificate(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Is told in words."""
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(other)
    with pytest.raises(InvalidInputError, match="key values mismatch"):
        tls_context(files[0], other)


def test_a_key_with_a_passphrase(files: tuple[Path, Path]) -> None:
    """Nobody is asked for it at a terminal that is not there."""
    certificate, path = files
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(InvalidInputError, match="are no certificate and its key"):
        tls_context(certificate, path)


def test_a_renewed_certificate_is_served(files: tuple[Path, Path]) -> None:
    """New connections get the files as they are by now; what is half written is passed over."""
    certificate, key = files
    context = tls_context(certificate, key)
    first = serial(context)
    assert serial(context) == first

    renewed = trustme.CA().issue_cert("localhost")
    certificate.write_text("half of a certific")
    assert serial(context) == first
    renewed.cert_chain_pems[0].write_to_path(certificate)
    assert serial(context) == first  # the key is still that of the other
    renewed.private_key_pem.write_to_path(key)
    second = serial(context)
    assert second != first
    key.unlink()
    assert serial(context) == second


def serial(server: ssl.SSLContext) -> bytes:
    """Shake hands with a server in memory, and return the certificate that it shows."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname="localhost")
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(10):
        for side in (ours, theirs):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    shown = ours.getpeercert(binary_form=True)
    assert shown is not None
    return shown
