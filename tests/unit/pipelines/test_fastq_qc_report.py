from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from tests.unit.pipelines.fastq_workset import Workset, fastq, reads

from daylily.pipelines.fastq_qc.measure import Result, measure
from daylily.pipelines.fastq_qc.report import report_html
from daylily.pipelines.fastq_qc.samples import read_samples

HOSTILE = "<script>alert(1)</script>\"'&amp;</title><img src=x onerror=alert(1)>{{ 7*7 }}"


class Page(HTMLParser):
    """Notes the elements of a page, its text, and what it would load from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "data", "action"} and not (value or "").startswith(
                "#"
            ):
                self.loads.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def results_of(workset: Workset) -> list[Result]:
    """Measure the workset."""
    return [measure(sample) for sample in read_samples(workset.path)]


@pytest.fixture
def page(workset: Workset) -> str:
    """The report on hostile names, a failed sample among them."""
    workset.sample("FINE", fastq(reads(40)), fastq(reads(40, mate=2)))
    workset.sample(HOSTILE, fastq(reads(20)), lane=HOSTILE)
    workset.sample(f"BAD{HOSTILE}", fastq([(HOSTILE, "A", "I")]), fastq([("other", "A", "I")]))
    return report_html(results_of(workset))


def test_hostile_names_are_text(page: str) -> None:
    """Names of samples, lanes and reads appear as text and never as markup."""
    parsed = Page(page)
    assert {"script", "img"}.isdisjoint(parsed.tags)
    assert HOSTILE in parsed.text
    assert parsed.text.count(HOSTILE) >= 4


def test_page_needs_nothing_else(page: str) -> None:
    """The page loads nothing: no script, no image, no style sheet, no font."""
    parsed = Page(page)
    assert parsed.loads == []
    assert "link" not in parsed.tags
    assert not re.search(r"https?:|url\(|@import", page)


def test_failed_samples_come_first(page: str) -> None:
    """What failed is on top, with file, record and what to do; the table and the rest follow."""
    text = Page(page).text
    assert "1 of 3 samples failed" in text
    assert text.index("Failed samples") < text.index("What to do") < text.index("mean length")
    assert "sample_data/2_R2.fastq.gz, record 1" in text


def test_plots_speak(page: str) -> None:
    """Each plot has a title and a description, tied to it by ids that occur once."""
    parsed = Page(page)
    drawings = re.findall(r'<svg [^>]*role="img"[^>]*>.*?</svg>', page, re.DOTALL)
    assert len(drawings) == 8  # four for each of two samples
    for drawing in drawings:
        assert re.search(r"<title [^>]*>[^<]+</title><desc [^>]*>[^<]+</desc>", drawing)
        assert "NaN" not in drawing
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {"Quality by cycle", "Read length", "Quality of the bases", "GC of the reads"} <= set(
        re.findall("<figcaption>([^<]+)", page)
    )


def test_odd_reads_can_be_drawn(workset: Workset) -> None:
    """Reads without bases, without a called base, or of one base make a page like any other."""
    workset.sample("EMPTY", fastq([("r", "", "")]))
    workset.sample("N", fastq([("r", "N", "!")]))
    workset.sample("LONG", fastq([("r", "ACGT" * 3000, "~" * 12000), ("q", "A", "!")]))
    page = report_html(results_of(workset))
    assert page.count("<figure>") == 12
    assert "nan" not in page.lower().replace("nanopore", "")
