"""What every Installation owes."""

import json

import pytest

from daylily.domain.errors import InvalidInputError
from daylily.ports.installation import Installation, Role


def _as_told(installation: Installation) -> list[tuple[str, str, str]]:
    return [(step.thing, step.now, step.change) for step in installation.plan()]


def _unheard(_: str) -> None:
    pass


class InstallationContract:
    """Subclass it and give a fixture ``installation``."""

    @pytest.fixture
    def installation(self) -> Installation:
        """Return an installation of which nothing is there yet."""
        raise NotImplementedError(
            "override the fixture `installation` with one that returns one of which nothing is there"
        )

    def test_a_plan_changes_nothing(self, installation: Installation) -> None:
        """Who has only asked what is to be done is told the same when asking again."""
        assert _as_told(installation) == _as_told(installation)

    def test_what_is_carried_out_is_done(self, installation: Installation) -> None:
        """After all steps in their order nothing is left to do."""
        for step in installation.plan():
            step.carry_out(_unheard)
        assert [step for step in installation.plan() if step.change] == []

    def test_a_step_can_be_carried_out_twice(self, installation: Installation) -> None:
        """Of two who plan at once, the slower one finds done what it does, and does no harm."""
        faster, slower = installation.plan(), installation.plan()
        for step in faster:
            step.carry_out(_unheard)
        done = _as_told(installation)
        for step in slower:
            step.carry_out(_unheard)
        assert _as_told(installation) == done

    def test_what_was_made_passes_its_checks(self, installation: Installation) -> None:
        """After all steps no check fails; the same checks pass again, as they have left nothing."""
        for step in installation.plan():
            step.carry_out(_unheard)
        told = _as_told(installation)
        for _ in range(2):
            failed = [finding for finding in installation.check() if finding.verdict == "FAIL"]
            assert failed == []
        assert _as_told(installation) == told

    def test_trouble_is_a_finding(self, installation: Installation) -> None:
        """Checks of what is not there raise nothing; what fails says what to do."""
        for finding in installation.check():
            assert finding.text
            assert finding.verdict != "FAIL" or finding.advice

    @pytest.mark.parametrize("role", Role)
    def test_a_policy_can_be_printed(self, installation: Installation, role: Role) -> None:
        """There is a policy that JSON can hold, or nobody asks for one."""
        try:
            policy = installation.policy(role)
        except InvalidInputError:
            return
        assert json.loads(json.dumps(policy)) == policy
