"""A local directory copied to a bucket and back, file by file, as people do with ``aws s3 sync``."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, bootstrap
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.pairing import samples_of
from daylily.domain.sentinels import Sentinel
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ADA = Principal(name="ada", customer_id="local")
FILES = ("NA1_R1.fastq", "NA1_R2.fastq")


def content(store: ObjectStore) -> dict[str, bytes]:
    """Return the bytes of every object under its key."""
    found = {}
    for info in every(lambda cursor: store.list("", cursor=cursor)):
        with store.open(info.key) as file:
            found[info.key] = file.read()
    return found


def submitted(app: App, name: str) -> str:
    """Submit a workset; return its id."""
    submission = Submission(name=name, pipeline="fastq-qc", samples=samples_of(FILES))
    return app.submit(ADA, "local", submission).workset_id


def test_a_directory_goes_to_a_bucket_and_back(tmp_path: Path, s3: "S3Client", bucket: str) -> None:
    """Names, bytes and sentinels are the same in both places, for what waits and what has ended."""
    app = bootstrap(Settings(home=tmp_path, engine="memory"))
    for key in FILES:
        app.files.put(ADA, "local", key, BytesIO(b"@read1\nACGT\n+\nIIII\n"))
    ended = submitted(app, "first")
    for _ in range(2):
        app.cycle()
    waiting = submitted(app, "second")
    local = tmp_path / "bucket"

    remote = S3ObjectStore(s3, bucket)
    for path in local.rglob("*"):
        if path.is_file():
            s3.put_object(Bucket=bucket, Key=str(path.relative_to(local)), Body=path.read_bytes())
    here = content(app.world.objects)
    there = {key: data for key, data in content(remote).items() if key in here}
    assert there == here

    back = tmp_path / "back"
    for info in every(lambda cursor: remote.list("", cursor=cursor)):
        target = back / info.key
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, info.key, str(target))
    assert content(DirectoryObjectStore(back)) == here

    for workset_id, sentinel in ((ended, Sentinel.COMPLETE), (waiting, Sentinel.READY)):
        shown = app.world.sentinels.look(workset_id)
        assert set(shown.sentinels) == {sentinel}
        for copy in (remote, DirectoryObjectStore(back)):
            assert ObjectSentinelStore(copy, "worksets/").look(workset_id) == shown
    app.world.close()
