"""The page that makes a daylily_work.yaml, and goes on from one."""

from typing import Any

import pytest
from tests.integration.service.door import csrf_of
from tests.integration.service.test_portal_pages import HOSTILE, safe
from tests.integration.service.test_portal_submit import faults_of, fields_of

from daylily.adapters.formats import work_yaml

CHOICES = {"pipeline_type": "germline", "reference_genome": "GRCh37", "priority": "low"}
TABLE = '{"columns":["sample_id","lane","r1_file","r2_file","coverage"],"rows":[%s]}'
ROW = '["NA1","%s","a%s_R1.fastq","","30"]'
BOTH = TABLE % ",".join(ROW % (lane, lane) for lane in "12")


def sent(browser: Any, step: str, **fields: str) -> Any:
    """Press a button of the form."""
    form = {"csrf": csrf_of(browser.get("/portal/yaml")), "step": step, **fields}
    return browser.post("/portal/yaml", files=[(name, (None, text)) for name, text in form.items()])


def test_what_is_made_is_what_is_read(browser: Any) -> None:
    """The file says all that the form says, lanes included, to the reader that runs such files."""
    answer = sent(
        browser, "download", table=BOTH, max_retries="0", estimated_coverage="12.5", **CHOICES
    )

    assert answer.headers["content-disposition"] == 'attachment; filename="daylily_work.yaml"'
    file = work_yaml.parse(answer.content, default_name="x")
    assert (file.pipeline, file.reference_genome, file.priority, file.max_retries) == (
        "germline", "GRCh37", "low", 0,
    )  # fmt: skip
    [sample] = file.samples
    assert [(pair.lane, pair.r1) for pair in sample.pairs] == [
        ("1", "a1_R1.fastq"),
        ("2", "a2_R1.fastq"),
    ]
    assert b"estimated_coverage: 12.5" in answer.content


def test_shown_and_kept(browser: Any) -> None:
    """The file stands on the page, and the form keeps all that was written."""
    answer = sent(browser, "make", table=BOTH, **CHOICES)
    assert "fastq_r1: a2_R1.fastq" in safe(answer).text
    form = fields_of(answer)
    assert form["table"] == BOTH
    assert "hidden" in answer.text  # the button that copies needs its script


def test_faults_in_their_cells(browser: Any) -> None:
    """What is wrong is marked where it stands, and nothing is made."""
    wrong = TABLE % '["a b","","a.txt","","deep"]'
    answer = sent(browser, "make", table=wrong, max_retries="x", **CHOICES)
    assert answer.status_code == 422
    assert {"Sample, row 1", "Reads 1, row 1", "Coverage (x), row 1"} <= faults_of(answer).keys()
    assert "Automatic retries" in answer.text
    assert 'id="made"' not in answer.text
    for coverage in ("much", "-1", "nan", "1e9"):
        refused = sent(browser, "make", table=BOTH, estimated_coverage=coverage, **CHOICES)
        assert refused.status_code == 422
        assert "is not a number from 0 to 10000" in refused.text
    assert len(fields_of(sent(browser, "rows", table=BOTH))) > len(fields_of(answer))


def test_import(browser: Any) -> None:
    """A pasted file fills the form; what is wrong with it is told by key path and line."""
    made = sent(browser, "download", table=BOTH, **CHOICES).text
    form = fields_of(sent(browser, "import", yaml_text=made))
    assert '["NA1","1","a1_R1.fastq","","30"]' in form["table"]

    text = "pipeline: wgs\nreference_genome: hg99\nsamples:\n- sample_id: a\n  fastq_r3: x.fastq\n"
    page = safe(sent(browser, "import", yaml_text=text))
    assert "reference_genome: 'hg99' is not known" in page.text
    assert "(line 2)" in page.text
    assert "samples[0].fastq_r3" in page.text
    assert text.splitlines()[0] in page.text
    for junk in ("", "[", "- 1", "a: &a [*a]", "!!python/object:os.system x", "\x00"):
        assert sent(browser, "import", yaml_text=junk).status_code == 200, junk


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts(browser: Any, text: str) -> None:
    """Whatever is pasted or chosen is shown as text."""
    for step in ("make", "import"):
        fields = dict.fromkeys(("pipeline_type", "reference_genome", "priority", "max_retries"), text)
        safe(sent(browser, step, yaml_text=f"pipeline: {text}\n", estimated_coverage=text, **fields))


def test_needs_its_token(browser: Any) -> None:
    """Another site's page makes nothing here."""
    assert browser.post("/portal/yaml", files=[("step", (None, "make"))]).status_code == 403


def test_on_to_submitting(browser: Any) -> None:
    """What was put together here can be submitted without being written anew."""
    form = fields_of(sent(browser, "make", table=BOTH, **CHOICES)) | {"step": "check"}
    answer = browser.post("/portal/submit", files=[(k, (None, v)) for k, v in form.items()])
    assert "a2_R1.fastq" in fields_of(answer)["table"]
