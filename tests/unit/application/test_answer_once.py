"""A request is answered once: whatever dies in between, nothing is submitted twice."""

import os
from contextlib import suppress
from datetime import timedelta

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, PREFIX, READS, Lab, Meanwhile

from daylily.application.answer_once import KEPT, LEASE, Answer, AnswerOnce, Claim, UnderWayError
from daylily.domain.errors import AlreadyExistsError, InvalidInputError, UnavailableError
from daylily.domain.workset import Workset
from daylily.ports.documents import LARGEST_BODY
from daylily.testing.faults import Blow, FaultInjector, Killed

CREATED = Answer(status=201, headers={"location": "/there"}, body=b'{"workset_id": "x"}')


@pytest.fixture
def lab() -> Lab:
    """A world in memory."""
    return Lab()


def claim(once: AnswerOnce, tenant: str = "acme", caller: str = "ada", asked: str = "a") -> Claim:
    """Return the right to work on a request."""
    found = once.claim(tenant, caller, "key-1", asked)
    assert isinstance(found, Claim)
    return found


def test_the_answer_is_given_again(lab: Lab) -> None:
    """To whoever asks the same, from any process, for more than a day."""
    once = lab.app().once
    once.keep(claim(once), CREATED)
    lab.clock.advance(timedelta(hours=24))
    assert lab.app().once.claim("acme", "ada", "key-1", "a") == CREATED
    lab.clock.advance(KEPT)
    assert isinstance(lab.app().once.claim("acme", "ada", "key-1", "a"), Claim)


def test_another_request_under_the_same_key(lab: Lab) -> None:
    """Is refused, whether or not the first has been answered."""
    once = lab.app().once
    first = claim(once)
    for _ in range(2):
        with pytest.raises(InvalidInputError, match="asked for something else"):
            claim(once, asked="b")
        once.keep(first, CREATED)


def test_keys_are_each_tenants_own(lab: Lab) -> None:
    """Nobody finds, or blocks, what another tenant or another of its users has named so."""
    once = lab.app().once
    once.keep(claim(once), CREATED)
    assert claim(once, tenant="other", asked="b").seed != claim(once, caller="bob", asked="c").seed


def test_while_it_is_worked_on(lab: Lab) -> None:
    """Others wait; once whoever began has been silent for too long, one of them takes it up."""
    once = lab.app().once
    first = claim(once)
    with pytest.raises(UnderWayError):
        claim(once)
    lab.clock.advance(LEASE)
    second = claim(once)
    assert second.seed == first.seed
    with pytest.raises(UnderWayError):
        claim(once)
    once.keep(first, CREATED)  # too late: somebody else is at it
    with pytest.raises(UnderWayError):
        claim(once)
    once.keep(second, evolve(CREATED, status=200))
    assert once.claim("acme", "ada", "key-1", "a") == evolve(CREATED, status=200)


def test_two_who_take_it_up_at_once(lab: Lab) -> None:
    """One does."""
    claim(lab.app().once)
    lab.clock.advance(LEASE)
    other = Meanwhile("documents.replace", lambda: claim(lab.app().once))
    with pytest.raises(UnderWayError):
        claim(lab.app(other).once)


def test_a_key_that_runs_out_meanwhile(lab: Lab) -> None:
    """Between two looks at it: the request is to be sent again."""
    claim(lab.app().once)
    passing = Meanwhile("documents.get", lambda: lab.clock.advance(KEPT))
    with pytest.raises(UnderWayError):
        claim(lab.app(passing).once)


def test_what_came_to_nothing_is_tried_again_at_once(lab: Lab) -> None:
    """Under the same seed: what was made of it, if anything was, is found."""
    once = lab.app().once
    first = claim(once)
    once.release(first)
    assert claim(once).seed == first.seed


def test_large_answers_and_secrets(lab: Lab) -> None:
    """What does not fit is made again when it is asked for; a secret is not kept."""
    once = lab.app().once
    first = claim(once)
    once.keep(first, evolve(CREATED, body=os.urandom(LARGEST_BODY)))
    second = claim(once)
    assert second.seed == first.seed
    once.keep(second, evolve(CREATED, body=None))
    assert once.claim("acme", "ada", "key-1", "a") == evolve(CREATED, body=None)


def test_a_damaged_record_is_an_outage(lab: Lab) -> None:
    """And no reason to do it again."""
    once = lab.app().once
    first = claim(once)
    for body in ("", "{}", "[]", '{"at": "x"}'):
        stored = lab.documents.get("answer", "acme", first.document.key)
        lab.documents.replace(evolve(stored, body=body))
        with pytest.raises(UnavailableError):
            claim(once)


def answered(lab: Lab, *wrappers: FaultInjector) -> Workset | Answer:
    """Do as a server does with a submission under a key."""
    app = lab.app(*wrappers)
    found = app.once.claim("acme", "ada", "key-1", "a")
    if isinstance(found, Answer):
        return found
    workset = app.submit(ADA, "acme", lab.submission(), seed=found.seed)
    app.once.keep(found, evolve(CREATED, body=workset.workset_id.encode()))
    return workset


@pytest.mark.parametrize("blow", Blow)
def test_killed_anywhere_between_claim_and_answer(blow: Blow) -> None:
    """However often and wherever a server dies, the request ends in one workset, and in its answer."""
    counting = FaultInjector()
    answered(Lab(), counting)
    assert len(counting.calls) > 10
    for number in range(1, len(counting.calls) + 1):
        lab = Lab()
        with suppress(Killed, UnavailableError):
            answered(lab, FaultInjector(number, blow))
        lab.clock.advance(LEASE)
        again = answered(lab)
        last = answered(lab)
        (workset,) = lab.worksets()
        assert isinstance(last, Answer)
        assert last.body == workset.workset_id.encode()
        assert isinstance(again, Answer) or again.workset_id == workset.workset_id
        lab.app().cycle()
        assert lab.started() == [f"{workset.workset_id}/1"], (number, counting.calls[number - 1])


def test_a_slow_server_and_the_one_that_took_over(lab: Lab) -> None:
    """Both make the same workset: one of them stores it, and both answer with it."""
    made: list[Workset] = []
    submission = lab.submission()
    other = Meanwhile(
        "store.add", lambda: made.append(lab.app().submit(ADA, "acme", submission, seed="0123456789"))
    )
    mine = lab.app(other).submit(ADA, "acme", submission, seed="0123456789")
    assert [mine.workset_id] == [each.workset_id for each in made]
    assert len(lab.worksets()) == 1
    lab.app().cycle()
    assert lab.started() == [f"{mine.workset_id}/1"]


def test_originals_replaced_before_it_is_taken_up(lab: Lab) -> None:
    """What was submitted is what is there: nobody copies over it."""
    workset = lab.app().submit(ADA, "acme", lab.submission(), seed="0123456789")
    submission = lab.submission()
    lab.objects.put("files/acme/a_R1.fastq", READS * 2)
    assert lab.app().submit(ADA, "acme", submission, seed="0123456789") == workset
    assert lab.objects.info(f"{PREFIX}{workset.workset_id}/sample_data/a_R1.fastq").size == len(READS)


def test_an_id_that_is_somebody_elses(lab: Lab) -> None:
    """Chance alone could make it so, and then it is no answer to give."""
    theirs = lab.app().submit(evolve(ADA, name="bob"), "acme", lab.submission(), seed="0123456789")
    with pytest.raises(AlreadyExistsError):
        lab.app().submit(ADA, "acme", lab.submission(), seed="0123456789")
    assert lab.worksets() == (theirs,)


def test_two_servers_that_sign_for_the_first_time(lab: Lab) -> None:
    """Both draw a secret, and one of them is kept."""
    lab.upload("a.fq")
    app = lab.app()
    other = Meanwhile("documents.add", lambda: app.links(ADA, "acme", "a.fq", "attachment"))
    assert lab.app(other).links(ADA, "acme", "a.fq", "x") == app.links(ADA, "acme", "a.fq", "x")
