"""The strategies that we ship: what they promise, and that they reach what they should."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings

from daylily.domain.lifecycle import LIFECYCLE, State
from daylily.domain.manifest import SAMPLE_ID_PATTERN, WORD_PATTERN, Manifest, Sample
from daylily.domain.names import is_id, key_fault
from daylily.domain.sentinels import SentinelBody
from daylily.domain.workset import Workset
from daylily.testing import strategies
from daylily.testing.samples import a_workset
from daylily.testing.walks import legal_steps

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(strategies.ids(), strategies.sample_ids(), strategies.words())
def test_names(workset_id: str, sample_id: str, word: str) -> None:
    """Names are what the domain takes for names."""
    assert is_id(workset_id)
    assert SAMPLE_ID_PATTERN.fullmatch(sample_id)
    assert WORD_PATTERN.fullmatch(word)


@unhurried
@given(strategies.object_keys())
def test_sound_keys(key: str) -> None:
    """Sound keys have no fault."""
    assert key_fault(key, "key") is None


@unhurried
@given(strategies.unsound_keys())
def test_unsound_keys(key: str) -> None:
    """Unsound keys have one."""
    assert key_fault(key, "key") is not None


@unhurried
@given(strategies.samples())
def test_samples(sample: Sample) -> None:
    """A sample is sound by itself."""
    assert list(Manifest(samples=(sample,), pipeline="germline").faults()) == []


@unhurried
@given(strategies.manifests())
def test_manifests(manifest: Manifest) -> None:
    """Manifests have no faults."""
    assert list(manifest.faults()) == []


@unhurried
@given(strategies.worksets())
def test_worksets(workset: Workset) -> None:
    """Time never went back, every step but a change of priority was the lifecycle's, nothing stored."""
    times = [workset.created_at, *(step.at for step in workset.history)]
    states = [step.state for step in workset.history]

    assert times == sorted(times)
    assert all(
        after.state in LIFECYCLE[before.state]
        or (after.state is before.state and after.reason.startswith("priority "))
        for before, after in pairwise(workset.history)
    )
    assert (workset.state, workset.version) == (states[-1], 0)
    assert workset.sequence == len(states)


def test_every_state() -> None:
    """The steps of a walk lead to every state there is."""
    workset = a_workset(max_retries=1)
    seen = {}
    todo = [workset]
    while todo:
        workset = todo.pop()  # what differs in nothing that steps ask about is followed once
        for reached in legal_steps(workset, workset.updated_at + timedelta(hours=2)).values():
            kind = (
                reached.state,
                reached.cancel is None,
                reached.running is None,
                reached.retries_used,
            )
            if kind not in seen:
                seen[kind] = reached
                todo.append(reached)

    assert {state for state, *_ in seen} == set(State)


@unhurried
@given(strategies.sentinel_bodies())
def test_sentinel_bodies(body: SentinelBody) -> None:
    """Bodies read back as they were written."""
    assert SentinelBody.parse(body.render()) == body
