"""Submitting: every kind of source, and every fault refused with nothing stored."""

import gzip
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.cli.desk import READ, Desk, sheet

from daylily.domain.errors import UnavailableError
from daylily.entrypoints.cli.client import LocalClient
from daylily.entrypoints.cli.session import Session

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def _nothing_is_stored_when_refused(request: pytest.FixtureRequest, desk: Desk) -> object:
    """After each test marked so, stores and home are as they were: empty."""
    yield
    if "refused" in request.node.name:
        assert desk.stored() == ([], [], [])


# What is taken


@pytest.mark.parametrize(
    "names",
    [
        ("a_S1_L001_R1_001.fastq.gz", "a_S1_L001_R2_001.fastq.gz"),
        ("a_R1.fq", "a_R2.fq"),
        ("a.R1.fastq", "a.R2.fastq"),
        ("a_1.fq.gz", "a_2.fq.gz"),
    ],
)
def test_a_folder_pairs_files_by_name(desk: Desk, fastq: Make, names: tuple[str, str]) -> None:
    """Each naming pattern of contract 2.9 makes one paired sample."""
    made = desk.json("submit", fastq(*names), "--pipeline", "fastq-qc")
    assert made["workset_name"] == "reads"
    assert [sample["sample_id"] for sample in made["samples"]] == ["a"]
    assert made["samples"][0]["files"] == [f"sample_data/{name}" for name in names]


def test_only_the_worksets_own_copies_stay(desk: Desk, submitted: str) -> None:
    """After a submission the uploads are gone, and the workset has its files."""
    _, keys, _ = desk.stored()
    assert f"worksets/{submitted}/sample_data/NA1_R1.fastq.gz" in keys
    assert not [key for key in keys if key.startswith("files/")]


def test_where_it_runs_and_how_long(desk: Desk, fastq: Make) -> None:
    """Options say more than the file, the file more than the settings; `show` tells."""
    folder = fastq("a_R1.fastq")
    (folder / "work.yaml").write_text(
        "pipeline: fastq-qc\npreferred_cluster: east\navailability_zone: us-west-2a\n"
        "time_limit_hours: 90\nsamples:\n- {sample_id: a, fastq_r1: a_R1.fastq}\n"
    )
    made = desk.json("submit", folder / "work.yaml", "--time-limit", "0.5", "--cluster", "west")
    assert (made["preferred_cluster"], made["availability_zone"]) == ("west", "us-west-2a")
    assert (made["time_limit_hours"], made["max_retries"]) == (0.5, 3)
    shown = desk.ok("show", made["workset_id"])
    assert "only west" in shown
    assert "0.5 h" in shown


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--time-limit", "0"), "0 is not above 0 and at most 720"),
        (("--time-limit", "nan"), "nan is not above 0 and at most 720"),
        (("--cluster", "../x"), "'../x' is not a name"),
        (("--zone", "us west"), "'us west' is not a zone"),
    ],
)
def test_a_place_or_time_that_makes_no_sense_is_refused(
    desk: Desk, fastq: Make, options: tuple[str, str], told: str
) -> None:
    """Before anything is stored."""
    result = desk.run("submit", fastq("a_R1.fastq"), "-p", "fastq-qc", "--single-end", *options)
    assert result.exit_code == 2
    assert told in result.output


def test_a_cluster_that_there_is_not_is_refused(desk: Desk, fastq: Make, tmp_path: Path) -> None:
    """Where the settings name clusters, one of these it has to be."""
    config = tmp_path / "config.yaml"
    config.write_text("clusters:\n  east: {}\n  west: {}\n")
    options = ("-p", "fastq-qc", "--single-end", "--config", config, "--cluster", "north")
    told = desk.faults("submit", fastq("a_R1.fastq"), *options)
    assert told == {"preferred_cluster": "'north' is not a cluster here; use one of east, west"}


def test_a_sheet_takes_paths_from_its_own_folder(desk: Desk, pair: Path) -> None:
    """The manifest's folder is where relative paths start."""
    made = desk.json("submit", sheet(pair, {}), "-p", "fastq-qc", "--priority", "urgent")
    assert (made["workset_name"], made["priority"]) == ("reads", "urgent")


def test_a_sheet_takes_paths_from_the_data_root(desk: Desk, pair: Path, tmp_path: Path) -> None:
    """--data-root says where relative paths start instead."""
    path = sheet(tmp_path, {}, name="run7.tsv")
    made = desk.json("submit", path, "-p", "fastq-qc", "--data-root", pair)
    assert made["workset_name"] == "run7"


def test_an_nf_core_sheet(desk: Desk, pair: Path) -> None:
    """A CSV of sample, fastq_1, fastq_2 is taken."""
    path = pair / "samples.csv"
    path.write_text("sample,fastq_1,fastq_2\nNA1,NA1_R1.fastq.gz,NA1_R2.fastq.gz\n")
    assert desk.json("submit", path, "-p", "fastq-qc")["sample_count"] == 1


def test_a_yaml_names_all(desk: Desk, pair: Path) -> None:
    """A YAML file needs no options; options win over it."""
    path = pair / "work.yaml"
    path.write_text(
        "pipeline: fastq-qc\nreference_genome: hg38\npriority: low\nmax_retries: 1\nsamples:\n"
        "- {sample_id: NA1, fastq_r1: NA1_R1.fastq.gz, fastq_r2: NA1_R2.fastq.gz}\n"
    )
    made = desk.json("submit", path, "--priority", "urgent", "--name", "mine")
    assert (made["workset_name"], made["priority"], made["max_retries"]) == ("mine", "urgent", 1)
    assert made["reference_genome"] == "GRCh38"


def test_a_worksets_folder_joins_both_files(desk: Desk, pair: Path) -> None:
    """What to run comes from daylily_work.yaml, the samples from stage_samples.tsv."""
    sheet(pair, {"SAMPLE_TYPE": "saliva"})
    (pair / "daylily_work.yaml").write_text("pipeline: fastq-qc\npriority: low\n")
    made = desk.json("submit", pair)
    assert (made["priority"], made["sample_count"]) == ("low", 1)
    stored = desk.world.store.get(made["workset_id"])
    assert stored.manifest.samples[0].sample_type == "saliva"


def test_single_end(desk: Desk, fastq: Make) -> None:
    """First reads alone are taken when that is meant."""
    folder = fastq("a_R1.fastq")
    assert desk.json("submit", folder, "-p", "fastq-qc", "--single-end")["sample_count"] == 1


@pytest.mark.parametrize("command", [("validate",), ("submit", "--dry-run")])
def test_validate_stores_nothing(desk: Desk, pair: Path, command: tuple[str, ...]) -> None:
    """All is checked, nothing is stored, and the home is not even made."""
    told = desk.json(*command, pair, "-p", "fastq-qc")
    assert (told["sample_count"], told["file_count"]) == (1, 2)
    assert desk.stored() == ([], [], [])


# What is refused


def test_refused_missing_mate(desk: Desk, fastq: Make) -> None:
    """Every lonely read is named under its file, with the way out."""
    told = desk.faults("submit", fastq("a_R1.fq", "b_R2.fq"), "-p", "fastq-qc")
    assert "--single-end" in told["a_R1.fq"]
    assert "missing mate" in told["b_R2.fq"]


def test_refused_all_faults_at_once(desk: Desk, pair: Path) -> None:
    """Faults of the options, of the rows and of the files are all told in one go."""
    (pair / "empty.fastq").touch()
    path = sheet(
        pair,
        {},
        {"SAMPLE_ID": "NA2", "R1_FQ": "gone_R1.fastq", "R2_FQ": "empty.fastq"},
        {"SAMPLE_ID": "NA3", "R1_FQ": "/etc/passwd.fastq", "R2_FQ": "../x.fastq"},
        {"SAMPLE_ID": "a/b", "R1_FQ": "c_1.fastq", "SEQ_VENDOR": "ACME", "R2_FQ": ""},
    )
    told = desk.faults("submit", path, "-p", "nope", "--priority", "soon", "--email", "x")
    assert {"pipeline", "priority", "notification_email"} <= told.keys()
    assert "does not exist" in told["row 3, R1_FQ"]
    assert "is empty" in told["row 3, R2_FQ"]
    assert "absolute" in told["row 4, R1_FQ"]
    assert ".." in told["row 4, R2_FQ"]
    assert "row 5, SAMPLE_ID" in told
    assert "row 5, SEQ_VENDOR" in told


def test_refused_duplicate_lane(desk: Desk, fastq: Make) -> None:
    """Two rows of one sample and lane are named by row and column."""
    folder = fastq(*(f"{stem}_R{read}.fastq.gz" for stem in ("NA1", "b") for read in (1, 2)))
    path = sheet(
        folder, {"LANE": "1"}, {"LANE": "1", "R1_FQ": "b_R1.fastq.gz", "R2_FQ": "b_R2.fastq.gz"}
    )
    assert {"row 2, LANE", "row 3, LANE"} <= desk.faults("submit", path, "-p", "fastq-qc").keys()


def test_refused_ids_that_staging_takes_for_one(desk: Desk, fastq: Make) -> None:
    """Two files of a folder that make one sample once staged are told under a file."""
    folder = fastq("a_b_R1.fq", "a_b_R2.fq", "a-b_R1.fq", "a-b_R2.fq")
    told = desk.faults("submit", folder, "-p", "fastq-qc")
    assert any("once staged" in message for message in told.values())
    assert all(place.endswith(".fq") for place in told)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: &a [x, x]\nb: *a\n", "a"),
        ("pipeline: !!python/object:os.system x\n", "pipeline"),
        ("pipeline: fastq-qc\nsamples:\n- {sample_id: ../x, fastq_r1: NA1_R1.fastq.gz}\n",
         "samples[0].sample_id"),
        ("pipeline: fastq-qc\nsamples:\n- {sample_id: x, fastq_r1: gone.fastq}\n",
         "samples[0].fastq_r1"),
        ("pipeline: fastq-qc\nsamples: []\n", "samples"),
    ],
    ids=["bomb", "tag", "climbing-id", "no-such-file", "no-samples"],
)  # fmt: skip
def test_refused_yaml(desk: Desk, pair: Path, text: str, place: str) -> None:
    """Bombs, tags and unsound samples are refused at their key path."""
    path = pair / "work.yaml"
    path.write_text(text)
    assert place in desk.faults("submit", path, "-p", "fastq-qc")


@pytest.mark.parametrize("name", ["junk.yaml", "junk.tsv", "junk.csv"])
def test_refused_junk(desk: Desk, tmp_path: Path, name: str) -> None:
    """10 MB of junk are refused without ado."""
    (tmp_path / name).write_bytes(os.urandom(10 << 20))
    assert desk.faults("submit", tmp_path / name, "-p", "fastq-qc")


def test_refused_link_out_of_the_root(desk: Desk, pair: Path, tmp_path: Path) -> None:
    """A link may not fetch what is outside, and the fault says what to do."""
    (tmp_path / "secret.fastq").write_bytes(READ)
    (pair / "b_R1.fastq").symlink_to(tmp_path / "secret.fastq")
    (pair / "b_R2.fastq").symlink_to(pair / "b_R2.fastq")
    told = desk.faults("submit", pair, "-p", "fastq-qc")
    assert "--data-root" in told["b_R1.fastq"]
    assert "cannot be read" in told["b_R2.fastq"]


def test_refused_not_regular(desk: Desk, pair: Path) -> None:
    """A pipe is not waited for, a folder is no file."""
    os.mkfifo(pair / "b_R1.fastq")
    (pair / "b_R2.fastq").mkdir()
    told = desk.faults("submit", pair, "-p", "fastq-qc")
    assert "is not a file" in told["b_R1.fastq"]
    assert "is not a file" in told["b_R2.fastq"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"hello", "not gzip"), (gzip.compress(b">x\nAC\n"), "FASTA")],
    ids=["empty", "text", "fasta"],
)
def test_refused_heads(desk: Desk, pair: Path, content: bytes, said: str) -> None:
    """A look at the first bytes of each file tells what is no FASTQ."""
    (pair / "NA1_R2.fastq.gz").write_bytes(content)
    assert said in desk.faults("submit", pair, "-p", "fastq-qc")["NA1_R2.fastq.gz"]


def test_refused_unreadable(desk: Desk, pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that nobody can read, not even root, is a fault like any other."""
    monkeypatch.chdir(pair)  # names of sockets are short
    Path("NA1_R2.fastq.gz").unlink()
    with socket.socket(socket.AF_UNIX) as unreadable:
        unreadable.bind("NA1_R2.fastq.gz")
        told = desk.faults("submit", pair, "-p", "fastq-qc")
    assert "cannot be read" in told["NA1_R2.fastq.gz"]


def test_permissions(desk: Desk, pair: Path) -> None:
    """A file without permission is a fault for all but root, who may read everything."""
    (pair / "NA1_R2.fastq.gz").chmod(0)
    if os.access(pair / "NA1_R2.fastq.gz", os.R_OK):
        assert desk.json("validate", pair, "-p", "fastq-qc")["file_count"] == 2
    else:
        assert "Permission" in desk.faults("validate", pair, "-p", "fastq-qc")["NA1_R2.fastq.gz"]


def test_refused_files_that_disagree(desk: Desk, pair: Path) -> None:
    """Where YAML and sheet of one folder differ, neither is believed."""
    sheet(pair, {})
    (pair / "daylily_work.yaml").write_text(
        "pipeline: fastq-qc\nsamples:\n"
        "- {sample_id: NA2, fastq_r1: NA1_R1.fastq.gz, fastq_r2: NA1_R2.fastq.gz}\n"
    )
    assert desk.faults("submit", pair).keys() == {"daylily_work.yaml", "stage_samples.tsv"}


def test_refused_folder_without_fastq(desk: Desk, pair: Path) -> None:
    """Who names the folder above is told which one to name."""
    told = desk.faults("submit", pair.parent, "-p", "fastq-qc")
    assert "reads/" in told[str(pair.parent)]


def test_refused_no_such_source(desk: Desk, tmp_path: Path) -> None:
    """A source that is not there is a fault, not a traceback."""
    assert desk.faults("submit", tmp_path / "gone", "-p", "fastq-qc")


def test_refused_without_a_pipeline(desk: Desk, pair: Path) -> None:
    """The pipeline must be named by somebody, and those there are are listed."""
    told = desk.faults("submit", pair)["pipeline"]
    assert "--pipeline" in told
    assert "fastq-qc" in told


def test_refused_pipeline_without_a_command(desk: Desk, pair: Path) -> None:
    """A pipeline that cannot run here is refused before anything is uploaded."""
    told = desk.faults("submit", pair, "-p", "germline")["pipeline"]
    assert "not set up to run here" in told
    assert "runnable are: fastq-qc" in told


def test_refused_lists_faults_for_people(desk: Desk, fastq: Make) -> None:
    """People get one line a fault, on standard error, and terminals are not steered."""
    result = desk.run("submit", fastq("a\x1b[31m_R1.fq"), "-p", "fastq-qc")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "\x1b" not in result.stderr
    assert "missing mate" in result.stderr


# What goes wrong on the way


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9"])
def test_what_to_type_next(
    desk: Desk, pair: Path, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    """The command that follows a workset asks the same server as the one that submitted it."""

    def here(session: Session) -> LocalClient:
        return LocalClient(lambda: session.app, session.settings, session.user)

    monkeypatch.setattr(Session, "client", property(here))
    result = desk.run(*(("--url", url) if url else ()), "submit", pair, "-p", "fastq-qc")
    said = f"daylily watch {result.stdout.strip()}" + (f" --url {url}" if url else "")
    assert result.stderr.splitlines()[-1].endswith(said)


def test_an_outage_leaves_no_upload_behind(
    desk: Desk, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the store goes down on submission, exit code 5, and the uploads are removed."""

    def down(*_: object, **__: object) -> object:
        raise UnavailableError("the store is down")

    monkeypatch.setattr(type(desk.world.store), "add", down)
    result = desk.run("submit", pair, "-p", "fastq-qc")
    assert result.exit_code == 5
    assert "the store is down" in result.stderr
    assert not [key for key in desk.stored()[1] if key.startswith("files/")]


def test_an_interrupt_leaves_no_upload_behind(
    desk: Desk, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while files are copied gives 130, and removes what was uploaded."""

    def interrupted(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(desk.world.objects), "copy", interrupted)
    assert desk.run("submit", pair, "-p", "fastq-qc").exit_code == 130
    assert not [key for key in desk.stored()[1] if key.startswith("files/")]
