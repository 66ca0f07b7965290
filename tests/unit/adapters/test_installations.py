"""Installations without AWS, held to the contract of their port."""

from pathlib import Path

import pytest

from daylily.adapters.local.installation import LocalInstallation
from daylily.adapters.local.state_store import SQLiteStateStore
from daylily.adapters.memory.installation import InMemoryInstallation
from daylily.domain.errors import ConflictError, UnavailableError
from daylily.ports.installation import Installation
from daylily.testing.contracts.installation import InstallationContract


class TestInMemoryInstallation(InstallationContract):
    """The contract, on nothing."""

    @pytest.fixture
    def installation(self) -> Installation:
        """Return one that needs nothing."""
        return InMemoryInstallation()


class TestLocalInstallation(InstallationContract):
    """The contract, in a folder."""

    @pytest.fixture
    def installation(self, tmp_path: Path) -> Installation:
        """Return one whose folder is not there yet."""
        home = tmp_path / "some" / "home"
        return LocalInstallation(home, home / "state.db")


def test_the_home_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The folder holds tokens and people's genomes: nobody else may look."""
    home = tmp_path / "home"
    (step,) = LocalInstallation(home, home / "state.db").plan()
    step.carry_out(print)
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """What is no folder is left alone, and another is asked for."""
    home = tmp_path / "home"
    home.write_text("mine")
    with pytest.raises(ConflictError, match="DAYLILY_HOME"):
        LocalInstallation(home, home / "state.db").plan()
    below = LocalInstallation(home / "home", home / "home" / "state.db")
    with pytest.raises(UnavailableError, match="cannot be made"):
        below.plan()[0].carry_out(print)


def test_a_sound_database_is_found_sound(tmp_path: Path) -> None:
    """Whatever is in the name of its folder."""
    home = tmp_path / "what? a #home %20"
    SQLiteStateStore(home / "state.db").close()
    (finding,) = LocalInstallation(home, home / "state.db").check()
    assert (finding.verdict, "quick_check passed" in finding.text) == ("ok", True)
