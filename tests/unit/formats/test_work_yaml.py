"""``daylily_work.yaml``: four dialects into one value, and back into a file that engines of old run."""

import re
import shlex
from collections.abc import Callable

import pytest
import yaml
from attrs import evolve
from hypothesis import HealthCheck, given, settings

from daylily.adapters.formats import work_yaml
from daylily.adapters.formats.work_yaml import WorkFile, parse, render
from daylily.domain.clusters import Requirements
from daylily.domain.errors import InvalidInputError
from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.workset import Workset
from daylily.testing.samples import a_manifest, a_workset
from daylily.testing.strategies import new_worksets

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Recorded = Callable[[str], bytes]
FaultsOf = Callable[[Callable[[], object]], list[str]]

URI = "s3://lab-bucket/worksets/ws-1"


def read(text: str) -> WorkFile:
    """Return what *text* says."""
    return parse(text.encode(), default_name="unnamed")


class TestRender:
    """What we write beside a workset."""

    def test_text(self) -> None:
        """Engines of old find what to clone and run; everybody finds what was asked for."""
        workset = a_workset(notification_email="lab@example.org", name="Trio: 'March'")

        assert render(workset, bucket_uri=f"{URI}/").splitlines() == [
            "workdir_name: ws-1",
            "day-clone: ' -d ws-1 -t main '",
            "dy-r: germline_wgs_snv",
            "export_uri: s3://lab-bucket/worksets/ws-1/results/",
            "workset_name: 'Trio: ''March'''",
            "pipeline: germline",
            "reference_genome: GRCh38",
            "priority: normal",
            "max_retries: 3",
            "notification_email: lab@example.org",
            "samples:",
            "- sample_id: NA12878",
            "  lane: '0'",
            "  fastq_r1: sample_data/NA12878_R1.fastq.gz",
            "  fastq_r2: sample_data/NA12878_R2.fastq.gz",
        ]

    @pytest.mark.parametrize(
        ("pipeline", "target"),
        [
            ("germline", "germline_wgs_snv"),
            ("wgs", "germline_wgs_kitchensink"),
            ("somatic", "somatic"),
            ("fastq-qc", "fastq_qc"),
        ],
    )
    def test_target(self, pipeline: str, target: str) -> None:
        """A pipeline gets its target of old or one of its own name, never one of no effect (D-18)."""
        workset = a_workset(manifest=a_manifest(pipeline=pipeline))

        assert yaml.safe_load(render(workset, bucket_uri=URI))["dy-r"] == target

    @pytest.mark.parametrize("pipeline", ["x; rm -rf /", "$(id)", "{x}", "", "a b", "-p"])
    def test_hostile_pipeline(self, pipeline: str, faults_of: FaultsOf) -> None:
        """No name that a shell would read as more than a word gets into a command (D-35)."""
        workset = a_workset(manifest=a_manifest(pipeline=pipeline))

        assert faults_of(lambda: render(workset, bucket_uri=URI)) == [
            f"pipeline: {pipeline!r} is not a plain name"
        ]

    @pytest.mark.parametrize("workset_id", ["..", "a/b", "x; id", "{workset}", "a b c"])
    def test_hostile_id(self, workset_id: str, faults_of: FaultsOf) -> None:
        """An id that is none never becomes the name of a directory (D-36)."""
        workset = evolve(a_workset(), workset_id=workset_id)

        assert len(faults_of(lambda: render(workset, bucket_uri=URI))) == 1

    @pytest.mark.parametrize("uri", ["/home/jo x/ws-1", "s3://b/a;id", "s3://b/$(id)", "s3://b/{x}"])
    def test_strange_place(self, uri: str) -> None:
        """Where a shell would misread the place of results, the export step is left out."""
        assert "export_uri" not in yaml.safe_load(render(a_workset(), bucket_uri=uri))

    def test_half_a_character(self, faults_of: FaultsOf) -> None:
        """A name that no file can hold is refused, not half written."""
        workset = a_workset(name="caf\ud83d")

        assert faults_of(lambda: render(workset, bucket_uri=URI)) == [
            "'caf\\ud83d' is not Unicode text"
        ]


@unhurried
@given(new_worksets())
def test_engines_of_old(workset: Workset) -> None:
    """Any YAML reader gets the same values, and the three that reach a shell are single plain words."""
    fields = yaml.safe_load(render(workset, bucket_uri=URI))

    workset_id = workset.workset_id
    assert fields["workset_name"] == workset.name
    assert shlex.split(fields["day-clone"]) == ["-d", workset_id, "-t", "main"]
    assert fields["day-clone"].format(workset="x", workdir_name="y") == fields["day-clone"]
    assert re.fullmatch(r"\w+", fields["dy-r"])
    assert fields["samples"][0]["sample_id"] == workset.manifest.samples[0].sample_id


@unhurried
@given(new_worksets())
def test_round_trip(workset: Workset) -> None:
    """What is rendered reads back: name, choices, lanes and coverage."""
    manifest = workset.manifest

    file = parse(render(workset, bucket_uri=URI).encode(), default_name="unnamed")

    assert file == WorkFile(
        name=workset.name,
        priority=workset.priority,
        pipeline=manifest.pipeline,
        reference_genome=manifest.reference_genome,
        samples=tuple(
            Sample(sample_id=sample.sample_id, coverage=sample.coverage, pairs=sample.pairs)
            for sample in manifest.samples
        ),
        max_retries=workset.max_retries,
        requirements=workset.requirements,
        notification_email=workset.notification_email,
        run_command=file.run_command,
        clone_args=f"-d {workset.workset_id} -t main",
        export_uri=f"{URI}/results/",
    )


class TestDialects:
    """Files as they are found in the field."""

    def test_monitor(self, recorded: Recorded) -> None:
        """The monitor's dialect: folded text, texts for a shell that we only keep, keys of no use."""
        assert parse(recorded("work_monitor.yaml"), default_name="x") == WorkFile(
            name="test help/1",
            run_command=(
                "produce_snv_concordances -p -k -j 20 --config "
                'aligners=["sent","bwa2a"] dedupers=["dppl"] snv_callers=["deep19"]'
            ),
            clone_args="-d {workdir_name} -t main",
            export_uri="s3://lab-bucket/FSxLustre20251015T090232Z/results/",
            ignored=("cluster_name", "budget"),
        )

    def test_monitor_shapes(self, recorded: Recorded) -> None:
        """The first alias that is not empty wins; a value may be a text, a list or a mapping."""
        assert parse(recorded("work_monitor_shapes.yaml"), default_name="x") == WorkFile(
            name="x",
            run_command="help -p 007",
            clone_args="-d x -t main",
            export_uri="s3://lab-bucket/results/",
        )

    def test_validator(self, recorded: Recorded) -> None:
        """The validator's dialect: an alias of a genome, and a coverage for samples without one."""
        assert parse(recorded("work_validator.yaml"), default_name="x") == WorkFile(
            name="x",
            priority=Priority.URGENT,
            pipeline="rna-seq",
            reference_genome="GRCh38",
            samples=(
                Sample(
                    sample_id="HG002",
                    pairs=(
                        FastqPair("sample_data/HG002_R1.fastq.gz", "sample_data/HG002_R2.fastq.gz"),
                    ),
                    coverage=30.0,
                ),
                Sample(
                    sample_id="007",
                    pairs=(FastqPair("sample_data/007_R1.fastq.gz"),),
                    coverage=12.5,
                ),
            ),
            max_retries=5,
            requirements=Requirements(cluster="daylily-2"),
        )

    def test_bridge(self, recorded: Recorded) -> None:
        """The bridge's dialect: GRCh38 is a genome (D-41), high is urgent, the command is only kept."""
        assert parse(recorded("work_bridge.yaml"), default_name="x") == WorkFile(
            name="Trio of March",
            priority=Priority.URGENT,
            pipeline="germline",
            notification_email="lab@example.org",
            run_command="dy-r GERMLINE",
            export_uri="s3://lab-bucket/worksets/trio-of-march-1a2b3c4d/results/",
            ignored=("enable_qc", "archive_results"),
        )

    def test_bridge_template(self, recorded: Recorded) -> None:
        """A file that says nothing but what to run has no pipeline and no samples."""
        file = parse(recorded("work_bridge_template.yaml"), default_name="trio")

        assert (file.name, file.pipeline, file.samples) == ("trio", None, ())
        assert file.run_command == "-p help"

    def test_portal(self, recorded: Recorded) -> None:
        """The portal's dialect: fields nested in ``workset``, all aliases of samples, lanes of one."""
        assert parse(recorded("work_portal.yaml"), default_name="x") == WorkFile(
            name="Exomes, batch 3",
            pipeline="wes",
            reference_genome="GRCh37",
            samples=(
                Sample(sample_id="ex-1", pairs=(FastqPair("ex-1_R1.fq.gz", "ex-1_R2.fq.gz"),)),
                Sample(
                    sample_id="ex-2",
                    pairs=(
                        FastqPair("ex-2_L1_R1.fq.gz", "ex-2_L1_R2.fq.gz", "001"),
                        FastqPair("ex-2_L2_R1.fq.gz", "ex-2_L2_R2.fq.gz", "002"),
                    ),
                ),
            ),
            ignored=("resources", "options", "samples[2].status"),
        )


class TestValues:
    """Single fields."""

    @pytest.mark.parametrize(
        "word", ["007", "on", "No", "1e3", "2024-01-01", "0x1F", "1_000", "1.2.3", "Infinity", ".5"]
    )
    def test_as_written(self, word: str) -> None:
        """No text is taken for a number, a truth or a date."""
        name = word.lstrip(".")
        file = read(f"workset_name: {word}\nsamples: [{{sample_id: {name}, lane: 01, r1: {name}.fq}}]")

        assert (file.name, file.samples[0].sample_id) == (word, name)
        assert file.samples[0].pairs == (FastqPair(f"{name}.fq", None, "01"),)

    @pytest.mark.parametrize("nothing", ["", "~", "null", '""', "' '", "[]", "{}"])
    def test_empty(self, nothing: str) -> None:
        """What is empty was not said: the next alias, or the default, holds."""
        file = read(
            f"pipeline: {nothing}\npipeline_type: wgs\nworkset_name: {nothing}\nsamples: {nothing}"
        )

        assert (file.pipeline, file.name, file.samples) == ("wgs", "unnamed", ())

    def test_folded(self) -> None:
        """The line end of a folded text is not part of it; blanks within quotes are."""
        file = read("workset_name: >\n  My\n  trio\nsamples: [{id: a, r1: 'a  b.fq'}]")

        assert (file.name, file.samples[0].pairs[0].r1) == ("My trio", "a  b.fq")

    def test_quoted_null(self) -> None:
        """A sample may be called null, if it is in quotes."""
        assert read("samples: [{id: 'null', r1: a.fq}]").samples[0].sample_id == "null"

    def test_core_tags(self) -> None:
        """A tag that says what we take it for anyway is no fault."""
        assert read("workset_name: !!str 007\nmax_retries: !!int 1").max_retries == 1

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            (
                "priority: soon",
                "priority: 'soon' is not a priority; use one of urgent, normal, low (line 1)",
            ),
            ("workset: {reference: GRCh99}", "workset.reference: 'GRCh99' is not known; use one of "),
            ("max_retries: 11", "max_retries: '11' is not a whole number from 0 to 10 (line 1)"),
            ("max_retries: true", "max_retries: 'true' is not a whole number from 0 to 10 (line 1)"),
            ("max_retries: 1.0", "max_retries: '1.0' is not a whole number from 0 to 10 (line 1)"),
            ("estimated_coverage: .inf", "estimated_coverage: '.inf' is not a depth: write a number"),
            ("estimated_coverage: 1e999", "estimated_coverage: '1e999' is not a depth: write a number"),
            (
                "notification_email: a b@c",
                "notification_email: 'a b@c' is not an e-mail address (line 1)",
            ),
            ("pipeline: [wgs]", "pipeline: is a list; write text (line 1)"),
            ("pipeline: {name: wgs}", "pipeline: is a mapping; write text (line 1)"),
            ('workset_name: "a\\nb"', "workset_name: 'a\\nb' is not one line of plain text (line 1)"),
            ('workset_name: "a\\0"', "workset_name: 'a\\x00' is not one line of plain text (line 1)"),
            (f"workset_name: {'x' * 257}", " is longer than 256 characters (line 1)"),
            ('dy-r: "a\\0"', "dy-r: 'a\\x00' holds a control character (line 1)"),
            ("dy-r: [a, [b]]", "dy-r: is neither text nor a list of texts (line 1)"),
            ("dy-r: {x: y}", "dy-r: gives none of suffix, args, cmd, command (line 1)"),
            ("samples: {a: b}", "samples: is not a list of samples (line 1)"),
            ("samples: S1", "samples: is not a list of samples (line 1)"),
            ("samples:\n- S1", "samples[0]: is not a mapping with sample_id and fastq_r1 (line 2)"),
            (
                "samples:\n- {}",
                "samples[0].sample_id: is missing (line 2)\nsamples[0].fastq_r1: is missing",
            ),
            ("samples:\n- id: a\n  r1: [x]", "samples[0].r1: is a list; write text (line 3)"),
            ("samples:\n- id: a\n  r1: x.bam", "samples[0].r1: 'x.bam' is not named like FASTQ"),
            ("samples:\n- id: a/b\n  r1: x.fq", "samples[0].id: 'a/b' is not a sample id: "),
            (
                "samples:\n- id: a\n  r1: x.fq\n  coverage: .nan",
                "samples[0].coverage: '.nan' is not a depth",
            ),
        ],
    )
    def test_refused(self, text: str, fault: str, faults_of: FaultsOf) -> None:
        """What makes no sense is refused at its key path, as the file spells it, and its line."""
        assert fault in "\n".join(faults_of(lambda: read(text)))

    def test_all_at_once(self, faults_of: FaultsOf) -> None:
        """Faults of fields, of entries and of the whole come together, in the words of the file."""
        text = """\
priority: soon
samples:
- {sample_id: S, r1: a.fq, coverage: 30}
- {sample_id: S, r1: a.fq, coverage: 20}
- {name: s, fq1: /b.fq}
"""
        assert faults_of(lambda: read(text)) == [
            "priority: 'soon' is not a priority; use one of urgent, normal, low (line 1)",
            "samples[1].coverage: differs from samples[0].coverage, and both are one sample (line 4)",
            "samples[2].name: 's' and 'S' of samples[0] are the same once staged (line 5)",
            "samples[0].lane: sample 'S' has lane '0' 2 times (line 3)",
            "samples[1].lane: sample 'S' has lane '0' 2 times (line 4)",
            "samples[2].fq1: '/b.fq' is an absolute path; give it relative to the workset (line 5)",
            "samples[1].r1: 'a.fq' is already used at samples[0].r1 (line 4)",
        ]

    def test_file_named_like_a_place(self, faults_of: FaultsOf) -> None:
        """A file name that looks like a key path of ours is left alone."""
        with pytest.raises(InvalidInputError, match=r"samples\[7\]\.r1'"):
            read("samples: [{id: a, r1: 'samples[7].r1'}]")


class TestStrict:
    """What is handed in by hand is read more strictly than what lies there already."""

    @staticmethod
    def told(text: str) -> list[str]:
        """Return the faults of *text*."""
        return list(map(str, work_yaml.read(text.encode(), default_name="x").faults))

    @pytest.mark.parametrize(
        "name", ["monitor", "monitor_shapes", "validator", "bridge", "bridge_template", "portal"]
    )
    def test_dialects(self, recorded: Recorded, name: str) -> None:
        """No key that the field is known to have is a fault; the file says the same either way."""
        data = recorded(f"work_{name}.yaml")

        assert work_yaml.read(data, default_name="x") == work_yaml.Reading(
            parse(data, default_name="x"), ()
        )

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("priorty: low", "priorty: is not known; did you mean 'priority'? (line 1)"),
            ("Pipeline: wgs", "Pipeline: is not known; did you mean 'pipeline'? (line 1)"),
            ("genome: hg19", "genome: is not known; did you mean 'reference_genome'? (line 1)"),
            ("max-retries: 1", "max-retries: is not known; did you mean 'max_retries'? (line 1)"),
            (
                "workset:\n  refrence: hg19",
                "workset.refrence: is not known; did you mean 'reference'? (line 2)",
            ),
            (
                "samples:\n- {id: a, r1: a.fq, fastq_R2: b.fq}",
                "samples[0].fastq_R2: is not known; did you mean 'fastq_r2'? (line 2)",
            ),
            (
                "samples:\n- {id: a, r1: a.fq}\n- {id: b, r1: b.fq, mate: c.fq}",
                (
                    "samples[1].mate: is not known, and names FASTQ files that would be left out; "
                    "these go under fastq_r1 and fastq_r2 (line 3)"
                ),
            ),
            (
                "samples:\n- {id: a, r1: a.fq, fastq_1: b.fq}",
                "samples[0].fastq_1: is another file than samples[0].r1 names (line 2)",
            ),
        ],
    )
    def test_refused(self, text: str, fault: str) -> None:
        """A misspelt key is a fault at its place; so are files under a key that nobody knows."""
        sound = "" if "samples" in text else "\nsamples: [{id: a, r1: a.fq}]"

        assert self.told(text + sound) == [fault]
        assert read(text + sound).samples

    def test_passed_over(self) -> None:
        """A key unlike any of ours is somebody's own: it is named, and no fault."""
        reading = work_yaml.read(
            b"operator: Ada\nsamples: [{id: a, r1: a.fq, tissue: liver}]", default_name="x"
        )

        assert reading.faults == ()
        assert reading.file is not None
        assert reading.file.ignored == ("operator", "samples[0].tissue")

    def test_as_far_as_it_makes_sense(self) -> None:
        """What is right in a faulty file is still known; of what is no YAML, nothing is."""
        reading = work_yaml.read(b"pipeline: wgs\npriority: soon", default_name="x")

        assert reading.file is not None
        assert (reading.file.pipeline, len(reading.faults)) == ("wgs", 1)
        assert work_yaml.read(b"a: [", default_name="x").file is None

    def test_junk_takes_no_time(self) -> None:
        """Of a hundred thousand keys that nobody knows a hundred are told."""
        text = "".join(f"prioriti{number}: x\n" for number in range(100_000))

        assert len(self.told(text)) == 100

    def test_keys(self) -> None:
        """Files get the keys that the caller makes for them."""
        reading = work_yaml.read(
            b"samples: [{id: a, r1: /d/a.fq, r2: /d/b.fq}]",
            default_name="x",
            key_of=lambda text: text.removeprefix("/d/"),
        )

        assert reading.file is not None
        assert reading.file.samples[0].pairs == (FastqPair("a.fq", "b.fq"),)


class TestPipelineOf:
    """Which pipeline a file asks for."""

    @pytest.mark.parametrize(
        ("text", "pipeline"),
        [
            ("pipeline: wes\ndy-r: germline_wgs_snv\n", "wes"),
            ("dy-r: germline_wgs_snv\n", "germline"),
            ("dy-r: germline_wgs_kitchensink\n", "wgs"),
            ("dy-r: dy-r SOMATIC\n", "somatic"),
            ("dy-r: fastq_qc\n", "fastq_qc"),
            ("dy-r: -p help\n", work_yaml.OLD_ENGINE),
            ("dy-r: germline_wgs_snv -p -j 20\n", work_yaml.OLD_ENGINE),
            ("dy-r: $(id)\n", work_yaml.OLD_ENGINE),
            ("priority: low\n", None),
        ],
    )
    def test_named_or_not(self, text: str, pipeline: str | None) -> None:
        """A single target stands for a pipeline; with options it is the old engine's command."""
        assert work_yaml.pipeline_of(read(text)) == pipeline

    @pytest.mark.parametrize("pipeline", ["germline", "wgs", "somatic", "rnaseq", "wes", "fastq-qc"])
    def test_what_we_write(self, pipeline: str) -> None:
        """What we write for the old engine means the same pipeline, if our own word for it is lost."""
        text = render(a_workset(manifest=a_manifest(pipeline=pipeline)), bucket_uri=URI)
        without = "\n".join(line for line in text.splitlines() if not line.startswith("pipeline:"))

        named = work_yaml.pipeline_of(read(without))
        assert named is not None
        assert named.replace("_", "-") == pipeline
