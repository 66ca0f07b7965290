"""
A client of daylily servers::

    from daylily.client import Client, Submission, samples_of

    with Client.to("https://daylily.example", token, "acme") as daylily:
        for path in (Path("a_R1.fastq.gz"), Path("a_R2.fastq.gz")):
            with path.open("rb") as reads:
                daylily.put_file(f"run7/{path.name}", reads, path.stat().st_size)
        samples = samples_of(["run7/a_R1.fastq.gz", "run7/a_R2.fastq.gz"])
        workset = daylily.submit(Submission(name="Run 7", pipeline="fastq-qc", samples=samples))
        for event in daylily.events(workset.workset_id):
            print(event.kind, event.data)
"""

from daylily.application.submit_workset import Submission
from daylily.client.api import EVERYBODY, Client, WorksetEvent
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.pairing import samples_of

__all__ = [
    "EVERYBODY",
    "Client",
    "FastqPair",
    "Sample",
    "Submission",
    "WorksetEvent",
    "samples_of",
]
