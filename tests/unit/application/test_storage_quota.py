"""How much customers store: never more than agreed upon, and what they remove makes room again."""

import io
from datetime import timedelta

import pytest
from attrs import evolve
from tests.integration.service.service import READS, Service, problem

from daylily.adapters.memory.customers import InMemoryCustomers
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.application.bounded_source import FIRST
from daylily.application.storage_quota import GB, HELD, SOONEST, TRUSTED, StorageQuota
from daylily.domain.customers import Principal, Role
from daylily.domain.errors import NotFoundError, QuotaError
from daylily.testing.clock import ManualClock
from daylily.testing.racing import race
from daylily.testing.samples import a_customer

EVE = Principal(name="eve", customer_id="acme")


class Yard:
    """A customer who may store 1 GB, and what is found when all of theirs is measured."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.stored, self.asked = 0, 0
        customers = InMemoryCustomers()
        customers.add(evolve(a_customer(), max_storage_gb=1))
        self.quota = StorageQuota(
            documents=InMemoryDocumentStore(self.clock),
            customers=customers,
            clock=self.clock,
            measure=self.measure,
            own="local",
        )

    def measure(self, _: str) -> int:
        """Return what is stored."""
        self.asked += 1
        return self.stored


def test_counted_without_measuring() -> None:
    """What comes is added up; all is measured when it begins, and a day later."""
    yard = Yard()
    for _ in range(4):
        yard.quota.take("acme", GB // 4)
    assert yard.asked == 1
    with pytest.raises(QuotaError, match=r"may store 1 GB, and stores 1\.00"):
        yard.quota.take("acme", 1)
    yard.clock.advance(TRUSTED)
    yard.stored = GB // 2
    yard.quota.take("acme", 1)
    assert yard.asked == 2


def test_what_was_removed_makes_room() -> None:
    """Before anybody is refused, all is measured, though not with every try."""
    yard = Yard()
    yard.quota.take("acme", GB)
    with pytest.raises(QuotaError):
        yard.quota.take("acme", 0)
    yard.clock.advance(SOONEST)
    yard.quota.take("acme", GB // 2)
    assert yard.asked == 2
    yard.stored = GB
    with pytest.raises(QuotaError):
        yard.quota.take("acme", GB)


def test_never_beyond_the_limit() -> None:
    """Of 32 threads that each want an eighth, eight get it."""
    yard = Yard()
    outcomes = race(lambda _: yard.quota.take("acme", GB // 8))
    assert sum(type(each) is QuotaError for each in outcomes) == 24


def test_what_nobody_knew_before() -> None:
    """A source of unknown size gives as much as there is room for; what has not come holds no room."""
    yard = Yard()
    yard.quota.take("acme", GB - 3 * FIRST)
    with yard.quota.letting_in("acme", io.BytesIO(b"x" * FIRST)) as source:
        assert source.readable()
        assert source.read() == b"x" * FIRST
        yard.quota.take("acme", 0)
        with pytest.raises(QuotaError):
            yard.quota.take("acme", 2 * FIRST + 1)
    with (
        pytest.raises(QuotaError),
        yard.quota.letting_in("acme", io.BytesIO(b"x" * 3 * FIRST)) as source,
    ):
        source.read()
    with yard.quota.letting_in("acme", io.BytesIO(b"x"), size=2 * FIRST) as source:
        source.read()
        with pytest.raises(QuotaError), yard.quota.letting_in("acme", io.BytesIO(b"y")):
            raise AssertionError("it was let in")
    with yard.quota.letting_in("acme", io.BytesIO(b"x" * FIRST), kept=False) as source:
        source.read()
    yard.quota.take("acme", 2 * FIRST - 1)
    with pytest.raises(QuotaError):
        yard.quota.take("acme", 1)


def test_what_is_on_its_way_is_not_forgotten() -> None:
    """To measure all does not find what is still coming: the room for it stays held, for an hour."""
    yard = Yard()
    with yard.quota.letting_in("acme", io.BytesIO(), size=GB // 2):
        yard.clock.advance(SOONEST)
        with pytest.raises(QuotaError):
            yard.quota.take("acme", GB // 2 + 1)
        assert yard.asked == 2
        yard.clock.advance(HELD)
        yard.quota.take("acme", GB // 2 + 1)


def test_many_uploads_at_once() -> None:
    """Of 16 uploads whose size nobody knows, as many come in as there is room for, and no more."""
    yard = Yard()
    each, fit = 2 * FIRST, 5
    yard.quota.take("acme", GB - fit * each)
    stored: list[int] = []

    def upload(_: int) -> None:
        with yard.quota.letting_in("acme", io.BytesIO(b"x" * each)) as source:
            stored.append(len(source.read()))

    outcomes = race(upload, 16)
    assert {type(outcome) for outcome in outcomes} <= {type(None), QuotaError}
    came = sum(outcome is None for outcome in outcomes)
    assert 1 <= came <= fit
    while came < fit:
        # Who was refused while others held room tries again, once they are done.
        upload(0)
        came += 1
    with pytest.raises(QuotaError):
        upload(0)


def test_with_whom_nothing_was_agreed_upon() -> None:
    """The installation's own customer stores what it likes, and is not measured; nobody is nobody."""
    yard = Yard()
    yard.quota.take("local", 99 * GB)
    with yard.quota.letting_in("local", source := io.BytesIO()) as given:
        assert given is source
    assert yard.asked == 0
    with pytest.raises(NotFoundError):
        yard.quota.take("nobody", 1)


def test_files_that_arrive_at_once(service: Service) -> None:
    """Of 16 files of unknown size that are put at once, never more stands than there is room for."""
    files, customers = service.app.files, service.app.world.customers
    customer = customers.get("acme")
    customers.save(customer, evolve(customer, max_storage_gb=(room := 5 * FIRST + 7) / GB))
    outcomes = race(lambda n: files.put(EVE, "acme", f"{n}.fastq", io.BytesIO(b"x" * FIRST)).size, 16)
    standing = sum(info.size for info in service.app.world.objects.list("files/acme/").items)
    assert FIRST <= standing <= room
    assert standing == sum(each for each in outcomes if isinstance(each, int))


@pytest.fixture
def full(service: Service) -> Service:
    """A service whose customer ``acme`` has one file, and no room for more."""
    files, customers = service.app.files, service.app.world.customers
    files.put(EVE, "acme", "a_R1.fastq", io.BytesIO(READS))
    customer = customers.get("acme")
    customers.save(customer, evolve(customer, max_storage_gb=len(READS) / GB))
    return service


@pytest.fixture
def service() -> Service:
    """A service in memory."""
    return Service.new()


def test_d_56_no_room(full: Service) -> None:
    """D-56: The quota of storage is enforced where files and worksets come in, and for them alone."""
    token = full.person("eve", "acme", Role.USER)
    submission = {
        "workset_name": "First",
        "pipeline_type": "fastq-qc",
        "samples": [{"sample_id": "S1", "r1_file": "a_R1.fastq"}],
    }
    place = "/api/customers/acme"
    with full.client(token) as client:
        for answer in (
            client.put(f"{place}/files/b.fastq", content=READS),
            client.post(f"{place}/files/upload", files={"file": ("b.fastq", READS)}),
            client.post(f"{place}/uploads", json={"key": "c.fastq", "size": 1 << 40}),
            client.post(f"{place}/worksets", json=submission),
        ):
            problem(answer, 403, "quota")
        assert [each["key"] for each in client.get(f"{place}/files").json()["files"]] == ["a_R1.fastq"]
        assert client.get(f"{place}/worksets").json()["worksets"] == []

        assert client.delete(f"{place}/files/a_R1.fastq").status_code == 200
        full.clock.advance(SOONEST + timedelta(seconds=1))
        assert client.put(f"{place}/files/a_R1.fastq", content=READS[:8]).status_code == 201
    with full.client() as client:
        full.submitted(client)


def test_used() -> None:
    """What is said to be stored is as last counted; at first and once a day all is measured."""
    yard = Yard()
    yard.stored = 100
    first = yard.clock()
    assert yard.quota.used("acme") == (100, first)
    yard.stored = 150
    yard.clock.advance(TRUSTED - timedelta(seconds=1))
    assert yard.quota.used("acme") == (100, first)
    yard.clock.advance(timedelta(seconds=1))
    assert yard.quota.used("acme") == (150, yard.clock())
    assert yard.asked == 2


def test_used_by_whom_no_document_names() -> None:
    """A customer whose id can be no name of a document is measured each time."""
    yard = Yard()
    for _ in range(2):
        assert yard.quota.used("a/b") == (0, yard.clock())
    assert yard.asked == 2
