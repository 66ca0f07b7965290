"""``report.html``: one page that needs nothing but itself, failed samples first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from daylily.pipelines.fastq_qc.faults import Fault, Kind
from daylily.pipelines.fastq_qc.measure import Result
from daylily.pipelines.fastq_qc.metrics import CYCLES, MateMetrics
from daylily.pipelines.fastq_qc.plots import Plot, Points, Series, round_up
from daylily.pipelines.fastq_qc.results import SCHEMA_VERSION, Figures, figures, tools

OPEN_UP_TO: Final = 6
BARS: Final = 50
ADVICE: Final = {
    Kind.DAMAGED: "Compare the file's checksum with the sender's, copy it again or ask for a new one, "
    "then submit the workset again. The other samples are not affected.",
    Kind.MISSING: "Check the path in stage_samples.tsv and that the file was uploaded, "
    "then retry the workset.",
    Kind.CRASHED: "Retry the workset, with more memory if it was killed. "
    "If it happens again, tell the operator.",
}


@frozen
class _Section:
    """One sample as the template shows it."""

    anchor: str
    result: Result
    total: Figures
    mates: Sequence[tuple[str, Figures]]
    plots: Sequence[tuple[Plot, Markup]]


def report_html(results: Sequence[Result]) -> str:
    """
    Return the page for *results*. Every name in it is escaped: sample sheets are written by strangers.
    """
    environment = Environment(
        loader=PackageLoader("daylily.pipelines.fastq_qc", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["fixed"] = _fixed
    sections = [_section(f"s{n}", result) for n, result in enumerate(results, 1) if not result.fault]
    return environment.get_template("report.html.j2").render(
        failed=[(result, _advice(result.fault)) for result in results if result.fault],
        sections=sections,
        is_open=len(sections) <= OPEN_UP_TO,
        tools=tools(),
        schema_version=SCHEMA_VERSION,
    )


def _advice(fault: Fault) -> str:
    return ADVICE[fault.kind]


def _fixed(number: float | None, digits: int = 1) -> str:
    return "-" if number is None else f"{number:.{digits}f}"


def _section(anchor: str, result: Result) -> _Section:
    named = list(zip(("R1", "R2"), result.mates, strict=False))
    plots = (_cycle_plot, _length_plot, _quality_plot, _gc_plot)
    drawn = [plot(named) for plot in plots]
    return _Section(
        anchor=anchor,
        result=result,
        total=figures(result.mates),
        mates=[(name, figures([mate])) for name, mate in named],
        # Markup: `Plot.svg` escapes its texts, and they hold no name from outside.
        plots=[(plot, Markup(plot.svg(f"{anchor}p{n}"))) for n, plot in enumerate(drawn)],  # noqa: S704
    )


Mates = Sequence[tuple[str, MateMetrics]]


def _cycle_plot(mates: Mates) -> Plot:
    series = [
        Series(
            name,
            name.lower(),
            [(cycle.cycle, cycle.mean_quality) for cycle in mate.cycles],
            [(cycle.cycle, cycle.p10_quality, cycle.p90_quality) for cycle in mate.cycles],
        )
        for name, mate in mates
    ]
    last = max((len(mate.cycles) for _, mate in mates), default=1)
    return Plot(
        title="Quality by cycle",
        description="; ".join(_cycle_words(name, mate) for name, mate in mates),
        x_label="cycle (position in the read)" + (f", the first {CYCLES}" if last == CYCLES else ""),
        y_label="Phred quality",
        series=series,
        x_range=(0, max(last, 2)),
        y_max=max(42, *(high for s in series for _, _, high in s.band), 0),
    )


def _cycle_words(name: str, mate: MateMetrics) -> str:
    if not mate.cycles:
        return f"{name} has no bases"
    worst = min(mate.cycles, key=lambda cycle: cycle.mean_quality)
    return (
        f"{name}: mean quality {mate.cycles[0].mean_quality:.1f} in the first cycle, "
        f"{mate.cycles[-1].mean_quality:.1f} in the last, "
        f"lowest {worst.mean_quality:.1f} in cycle {worst.cycle}"
    )


def _length_plot(mates: Mates) -> Plot:
    low = min(mate.length_min for _, mate in mates)
    high = max(mate.length_max for _, mate in mates)
    # A single length would be a bar as wide as the plot.
    low, high = (max(low - 5, 0), high + 5) if high - low < 10 else (low, high)
    rough = (high - low + 1) / BARS
    step = next(n * 10**power for power in range(12) for n in (1, 2, 5) if n * 10**power >= rough)
    low, end = low // step * step, (high // step + 1) * step
    return _histogram(
        mates,
        lambda mate: [
            (low + (length - low) // step * step + (step - 1) / 2, n) for length, n in mate.lengths
        ],
        title="Read length",
        description="; ".join(f"{name}: {_length_words(mate)}" for name, mate in mates),
        x_label="bases" if step == 1 else f"bases, in steps of {step}",
        y_label="% of reads",
        x_range=(low - 0.5, end - 0.5),
        bar_width=float(step),
    )


def _length_words(mate: MateMetrics) -> str:
    if mate.length_min == mate.length_max:
        return f"all {mate.length_max} bases"
    return f"{mate.length_min} to {mate.length_max} bases"


def _quality_plot(mates: Mates) -> Plot:
    highest = max((mate.qualities[-1][0] for _, mate in mates if mate.qualities), default=0)
    return _histogram(
        mates,
        lambda mate: mate.qualities,
        title="Quality of the bases",
        description="; ".join(
            f"{name}: {figures([mate]).q30_percent or 0:.1f} % of the bases have quality 30 or more"
            for name, mate in mates
        ),
        x_label="Phred quality",
        y_label="% of bases",
        x_range=(-0.5, max(highest, 42) + 0.5),
        bar_width=1.0,
    )


def _gc_plot(mates: Mates) -> Plot:
    return _histogram(
        mates,
        # In steps of two: reads of 150 bases have 151 possible GC values, which fall unevenly on 101
        # whole percents and would draw a saw.
        lambda mate: [
            *((float(gc), 0) for gc in range(1, 101, 2)),
            *((gc // 2 * 2 + 1.0 if gc < 100 else 99.0, n) for gc, n in mate.read_gc),
        ],
        title="GC of the reads",
        description="; ".join(
            f"{name}: GC {_fixed(figures([mate]).gc_percent)} % overall" for name, mate in mates
        ),
        x_label="GC, % of the called bases, in steps of 2",
        y_label="% of reads",
        x_range=(0, 100),
    )


def _histogram(
    mates: Mates,
    counts: Callable[[MateMetrics], Iterable[tuple[float, int]]],
    *,
    title: str,
    description: str,
    x_label: str,
    y_label: str,
    x_range: tuple[float, float],
    bar_width: float | None = None,
) -> Plot:
    series = [Series(name, name.lower(), _shares(counts(mate))) for name, mate in mates]
    return Plot(
        title=title,
        description=description,
        x_label=x_label,
        y_label=y_label,
        series=series,
        x_range=x_range,
        y_max=round_up(max((y for s in series for _, y in s.points), default=0)),
        bar_width=bar_width,
    )


def _shares(counts: Iterable[tuple[float, int]]) -> Points:
    """Return *counts* in percent of their sum, those of equal x taken together."""
    together: Counter[float] = Counter()
    for at, number in counts:
        together[at] += number
    whole = together.total() or 1
    return [(at, 100 * number / whole) for at, number in sorted(together.items())]
