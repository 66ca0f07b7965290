"""A service in memory, and callers of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
from argon2 import PasswordHasher
from attrs import evolve, field, frozen
from litestar.testing import TestClient

from daylily.adapters.document_identities import DocumentIdentities
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.customers import InMemoryCustomers
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, World, compose
from daylily.config import Settings
from daylily.domain.customers import Customer, Principal, Role
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.results import SAMPLES, SampleOutcome, samples_text
from daylily.domain.workset import Workset
from daylily.entrypoints.http.app import create_asgi
from daylily.ports.identities import Challenge, Member
from daylily.testing.clock import ManualClock
from daylily.testing.samples import a_manifest

TOKEN: Final = "correct-horse-battery-staple-0123456789"
BASE: Final = "http://127.0.0.1:8000"
READS: Final = b"@read-1\nACGT\n+\nIIII\n"
QUICK: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""As weak as can be: tests have no time for what keeps guessers busy."""
FIRST: Final = "a-first-one-4711"
PASSWORD: Final = "a-fine-one-0815"
MINE: Final = "/api/customers/local"


@frozen
class Service:
    """Use cases on adapters in memory; ``compute`` ends jobs when a test says so."""

    clock: ManualClock
    app: App
    compute: InMemoryCompute
    _up: dict[str | None, Any] = field(factory=dict, eq=False, repr=False)

    @classmethod
    def new(cls, **settings: Any) -> "Service":
        """Return a service with the customers ``local`` and ``acme``."""
        clock = ManualClock()
        objects, compute = InMemoryObjectStore(clock), InMemoryCompute(clock, None)
        documents = InMemoryDocumentStore(clock)
        identities = DocumentIdentities(documents, clock, QUICK)
        world = World(
            store=InMemoryStateStore(),
            objects=objects,
            sentinels=ObjectSentinelStore(objects, "worksets/"),
            compute=compute,
            notifier=InMemoryNotifier(),
            customers=InMemoryCustomers(),
            documents=documents,
            identities=identities,
            verifiers=(identities,),
            clock=clock,
        )
        for customer_id in ("local", "acme"):
            world.customers.add(Customer(customer_id=customer_id, name=customer_id))
        return cls(clock, compose(Settings(**settings), world), compute)

    @contextmanager
    def client(self, token: str | None = TOKEN, *, admin_token: str | None = TOKEN) -> Iterator[Any]:
        """Yield a client that sends *token*, of a server whose token is *admin_token*."""
        with self._calling(admin_token) as client:
            client.follow_redirects = False
            if token is not None:
                client.headers["authorization"] = f"Bearer {token}"
            yield client

    @contextmanager
    def _calling(self, admin_token: str | None) -> Iterator[Any]:
        # To put its hundred routes in place takes longer than most tests: a second client calls the
        # server of the first, as it would in life.
        if first := self._up.get(admin_token):
            yield httpx.Client(transport=first._transport, base_url=BASE)
            return
        with TestClient(create_asgi(self.app, admin_token=admin_token), base_url=BASE) as client:
            self._up[admin_token] = client
            yield client
        del self._up[admin_token]

    def submitted(self, client: Any, name: str = "First", customer: str = "local") -> str:
        """Submit a sound workset of one sample over HTTP; return its id."""
        place = f"/api/customers/{customer}"
        assert client.put(f"{place}/files/a_R1.fastq", content=READS).status_code == 201
        body = {
            "workset_name": name,
            "pipeline_type": "fastq-qc",
            "samples": [{"sample_id": "NA12878", "r1_file": "a_R1.fastq"}],
        }
        answer = client.post(f"{place}/worksets", json=body)
        assert answer.status_code == 201, answer.text
        workset_id: str = answer.json()["workset_id"]
        return workset_id

    def submitted_directly(self) -> str:
        """Submit a sound workset of the customer ``local``, past HTTP; return its id."""
        self.app.world.objects.put("files/local/a_R1.fastq", READS)
        samples = (Sample(sample_id="NA12878", pairs=(FastqPair("a_R1.fastq"),)),)
        submission = Submission(name="First", pipeline="fastq-qc", samples=samples)
        who = Principal(name="ada", customer_id="local")
        return self.app.submit(who, "local", submission).workset_id

    def launched_directly(self, workset_id: str) -> None:
        """Have a workset launched, past the monitor."""
        self.app.cycle.start(self.app.world.store.get(workset_id), "monitor-a")

    def person(self, name: str, customer: str = "local", role: Role = Role.USER) -> str:
        """Take somebody on, let them sign in, and return their token."""
        identities = self.app.world.identities
        identities.add(Member(name=name, customer_id=customer, role=role), FIRST)
        asked = identities.sign_in(name, FIRST)
        assert isinstance(asked, Challenge)
        return identities.answer(asked, PASSWORD).token

    def launched(self, client: Any, name: str = "First") -> str:
        """Submit a workset and have a monitor launch it; return its id."""
        workset_id = self.submitted(client, name)
        self.app.cycle()
        return workset_id

    def ended(self, workset_id: str, *, exit_code: int = 0, message: str = "") -> Workset:
        """Let the running attempt of a workset end, and have a monitor record it."""
        store = self.app.world.store
        self.compute.end(store.get(workset_id).attempt_key, exit_code=exit_code, message=message)
        self.app.cycle()
        return store.get(workset_id)

    def ended_in_part(self, workset_id: str) -> None:
        """Let a running workset of now two samples fail, of which the second is damaged."""
        store = self.app.world.store
        running = store.get(workset_id)
        store.save(evolve(running, manifest=a_manifest("NA1", "NA2", pipeline="fastq-qc")))
        told = (SampleOutcome.of("NA1", None), SampleOutcome.of("NA2", "read 7 is <b>cut</b>"))
        self.result(workset_id, SAMPLES, samples_text(told).encode())
        self.ended(workset_id, exit_code=65, message="one sample failed")

    def result(self, workset_id: str, key: str, content: bytes) -> None:
        """Put a file among the results of the first attempt."""
        self.app.world.objects.put(f"worksets/{workset_id}/results/attempt-1/{key}", content)

    def replacing(self, **adapters: Any) -> "Service":
        """Return the same service with other adapters for some of its ports."""
        world = evolve(self.app.world, **adapters)
        return evolve(self, app=compose(self.app.settings, world), up={})


def problem(answer: Any, status: int, slug: str) -> dict[str, Any]:
    """Check that an answer is a problem of that kind, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= body.keys()
    assert body["type"] == f"urn:daylily:problem:{slug}"
    assert body["status"] == status
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["detail"]
    return body


def places(body: dict[str, Any]) -> list[str]:
    """Return where the faults of a problem stand."""
    return [fault["place"] for fault in body["faults"]]
