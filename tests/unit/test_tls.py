"""Certificates: what they must be, and what people are told if they are not."""

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
