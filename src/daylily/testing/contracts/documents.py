"""What every DocumentStore owes."""

from datetime import timedelta

import pytest
from attrs import evolve

from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    InvalidInputError,
    NotFoundError,
)
from daylily.ports.documents import LARGEST_BODY, Document, DocumentStore
from daylily.ports.paging import Page, every
from daylily.testing.clock import ManualClock
from daylily.testing.racing import RUNNERS, race
from daylily.testing.samples import NOON

HOUR = timedelta(hours=1)


def a_document(key: str = "k-1", partition: str = "acme", body: str = "{}") -> Document:
    """Return a document that does not expire."""
    return Document(kind="note", partition=partition, key=key, body=body)


class DocumentStoreContract:
    """Subclass it and give a fixture ``documents``, a store that goes by the fixture ``clock``."""

    runners = RUNNERS
    """Threads that race; fewer where a store is slow under contention."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Return the clock that the store goes by."""
        return ManualClock()

    @pytest.fixture
    def documents(self, clock: ManualClock) -> DocumentStore:
        """Return a store of no documents."""
        raise NotImplementedError(
            "override the fixture `documents` with one that returns an empty store"
        )

    @pytest.mark.parametrize("body", ["", "{}", "Ärzte & 試料 \x00\n", "x" * LARGEST_BODY])
    def test_what_is_added_can_be_read(self, documents: DocumentStore, body: str) -> None:
        """A document reads back equal, whatever text its body is, under its first version."""
        document = evolve(a_document(key="a.b@c+d:e_f-G", body=body), expires_at=NOON + HOUR)
        added = documents.add(document)
        assert added == evolve(document, version=1)
        assert documents.get("note", "acme", "a.b@c+d:e_f-G") == added

    @pytest.mark.parametrize("name", ["k-2", "", "..", "a/b", "\ud800", "x" * 2000])
    def test_an_unknown_document_is_not_found(self, documents: DocumentStore, name: str) -> None:
        """Names under which nothing was added raise, even those that no document can have."""
        documents.add(a_document())
        for place in (("note", "acme", name), ("note", name, "k-1"), (name, "acme", "k-1")):
            with pytest.raises(NotFoundError):
                documents.get(*place)
        assert documents.list("note", name).items == ()
        assert documents.list(name, "acme").items == ()

    def test_a_document_is_added_once(self, documents: DocumentStore) -> None:
        """A second one of the same names is refused, and the first is left as it is."""
        added = documents.add(a_document())
        with pytest.raises(AlreadyExistsError):
            documents.add(a_document(body="another"))
        assert documents.get("note", "acme", "k-1") == added

    def test_kinds_and_partitions_are_apart(self, documents: DocumentStore) -> None:
        """The same key may stand in another partition and in another kind."""
        documents.add(a_document())
        documents.add(a_document(partition="acme-b", body="2"))
        documents.add(evolve(a_document(body="3"), kind="other"))
        assert documents.get("note", "acme-b", "k-1").body == "2"
        assert documents.get("other", "acme", "k-1").body == "3"
        assert [each.body for each in documents.list("note", "acme").items] == ["{}"]

    def test_one_of_many_adds_wins(self, documents: DocumentStore) -> None:
        """Of many threads that add one document, one is told it did, and its body is the stored one."""
        outcomes = race(lambda n: documents.add(a_document(body=str(n))), self.runners)
        (won,) = [each for each in outcomes if isinstance(each, Document)]
        assert sum(type(each) is AlreadyExistsError for each in outcomes) == self.runners - 1
        assert documents.get("note", "acme", "k-1") == won

    def test_replaced_as_it_was_read(self, documents: DocumentStore) -> None:
        """Of two who read the same version, the second to replace it is refused."""
        read = documents.add(a_document())
        replaced = documents.replace(evolve(read, body="mine", expires_at=NOON + HOUR))
        assert replaced == evolve(read, body="mine", expires_at=NOON + HOUR, version=2)
        with pytest.raises(ConcurrentUpdateError):
            documents.replace(evolve(read, body="yours"))
        assert documents.get("note", "acme", "k-1") == replaced
        assert documents.replace(evolve(replaced, expires_at=None)).expires_at is None
        assert documents.get("note", "acme", "k-1").expires_at is None

    def test_nothing_to_replace(self, documents: DocumentStore) -> None:
        """What was never added cannot be replaced."""
        with pytest.raises(NotFoundError):
            documents.replace(evolve(a_document(), version=1))

    def test_one_of_many_replacements_wins(self, documents: DocumentStore) -> None:
        """Of many threads that replace one version, one is told it did."""
        read = documents.add(a_document())
        outcomes = race(lambda n: documents.replace(evolve(read, body=str(n))), self.runners)
        (won,) = [each for each in outcomes if isinstance(each, Document)]
        assert sum(type(each) is ConcurrentUpdateError for each in outcomes) == self.runners - 1
        assert documents.get("note", "acme", "k-1") == won

    def test_no_count_is_lost(self, documents: DocumentStore) -> None:
        """Threads that each count one up, and read again when refused, together count all."""
        documents.add(a_document(body="0"))

        def count(_: int) -> None:
            while True:
                read = documents.get("note", "acme", "k-1")
                try:
                    documents.replace(evolve(read, body=str(int(read.body) + 1)))
                except ConcurrentUpdateError:
                    continue
                return

        race(count, 6)
        assert documents.get("note", "acme", "k-1").body == "6"

    def test_what_has_expired_is_not_there(self, documents: DocumentStore, clock: ManualClock) -> None:
        """From its expiry on a document is neither read, listed nor replaced."""
        added = documents.add(evolve(a_document(), expires_at=NOON + HOUR))
        documents.add(a_document("k-2"))
        clock.advance(HOUR - timedelta(microseconds=1))
        assert documents.get("note", "acme", "k-1") == added
        clock.advance(timedelta(microseconds=1))
        with pytest.raises(NotFoundError):
            documents.get("note", "acme", "k-1")
        with pytest.raises(NotFoundError):
            documents.replace(evolve(added, body="again"))
        assert [each.key for each in documents.list("note", "acme").items] == ["k-2"]

    def test_added_anew_after_expiry(self, documents: DocumentStore, clock: ManualClock) -> None:
        """Its place can be taken, and whoever holds the old one cannot replace the new one."""
        old = documents.add(evolve(a_document(), expires_at=NOON + HOUR))
        clock.advance(HOUR)
        new = documents.add(a_document(body="new"))
        assert new.version > old.version
        with pytest.raises(ConcurrentUpdateError):
            documents.replace(old)
        assert documents.get("note", "acme", "k-1") == new

    def test_one_of_many_takes_an_expired_place(
        self, documents: DocumentStore, clock: ManualClock
    ) -> None:
        """Of many threads that add over an expired document, one is told it did."""
        documents.add(evolve(a_document(), expires_at=NOON + HOUR))
        clock.advance(HOUR)
        outcomes = race(lambda n: documents.add(a_document(body=str(n))), self.runners)
        (won,) = [each for each in outcomes if isinstance(each, Document)]
        assert sum(type(each) is AlreadyExistsError for each in outcomes) == self.runners - 1
        assert documents.get("note", "acme", "k-1") == won

    def test_removed_by_an_early_expiry(self, documents: DocumentStore) -> None:
        """Replaced by one that has expired, a document is gone, and can be added anew."""
        added = documents.add(a_document())
        documents.replace(evolve(added, expires_at=NOON))
        with pytest.raises(NotFoundError):
            documents.get("note", "acme", "k-1")
        assert documents.add(a_document(body="2")).body == "2"

    @pytest.mark.parametrize("newest_first", [False, True])
    @pytest.mark.parametrize("limit", [1, 2, 4, 5, 1000])
    def test_listed_in_order_of_keys(
        self, documents: DocumentStore, limit: int, newest_first: bool
    ) -> None:
        """Pages are no longer than asked, and together hold every document once, by key."""
        for key in ("b", "a-b", "a", "B"):
            documents.add(a_document(key))
        for n in range(3):  # in between, and not there
            documents.add(evolve(a_document(f"a-{n}"), expires_at=NOON))

        def page(cursor: str | None) -> Page[Document]:
            return documents.list("note", "acme", after=cursor, limit=limit, newest_first=newest_first)

        found = [each.key for each in every(page)]
        ordered = ["B", "a", "a-b", "b"]
        assert found == (ordered[::-1] if newest_first else ordered)
        first = documents.list("note", "acme", limit=limit, newest_first=newest_first)
        assert len(first.items) == min(limit, 4)

    def test_a_cursor_that_is_not_of_the_listing_is_refused(self, documents: DocumentStore) -> None:
        """Garbage, and cursors of the other direction, are the caller's mistake; so is a limit of 0."""
        for key in ("a", "b"):
            documents.add(a_document(key))
        cursor = documents.list("note", "acme", limit=1).cursor
        for bad in ("", "x", "W10", "é"):
            with pytest.raises(InvalidInputError):
                documents.list("note", "acme", after=bad)
        with pytest.raises(InvalidInputError):
            documents.list("note", "acme", after=cursor, newest_first=True)
        with pytest.raises(InvalidInputError):
            documents.list("note", "acme", limit=0)
