"""Tables of texts: what their rows say, and where faults of it stand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daylily.domain.errors import Fault, InvalidInputError
from daylily.entrypoints.portal.sample_table import (
    TITLES,
    CellFault,
    Table,
    lines_of,
    mates_missing,
    paired,
)

COLUMNS = ("sample_id", "lane", "r1_file", "r2_file", "subsample", "positive_control", "n_x")


def test_values_of_cells() -> None:
    """Numbers and flags are read as sheets have them; what is none is left for the reader to judge."""
    rows = (
        ("a", "1", "a_R1.fastq", "", "0.5", "yes", "2"),
        ("b", "", "b.fastq", "", "100", "No", "two"),
        ("c", "", "c.fastq", "", "half", "maybe", ""),
    )
    first, second, third = Table(columns=COLUMNS, rows=rows).entries()
    assert (first["subsample"], first["positive_control"], first["n_x"]) == (0.5, True, 2)
    assert (second["subsample"], second["positive_control"], second["n_x"]) == (None, False, "two")
    assert (third["subsample"], third["positive_control"]) == ("half", "maybe")
    assert "r2_file" not in first


def test_faults_stand_at_rows_as_they_are_shown() -> None:
    """Blank rows say nothing, but count: a fault is where a person sees it, in its words, too."""
    table = Table(
        rows=(("", "", "", ""), ("a", "", "x.fastq", ""), ("", "", "", ""), ("a", "", "x.fastq", ""))
    )
    faults = [
        Fault("samples[1].r1_file", "'x.fastq' is already used at samples[0].r1_file"),
        Fault("samples[1]", "has no FASTQ files"),
        Fault("samples[9].lane", "is not here"),
        Fault("workset_name", "is required"),
    ]
    cells, others = table.told(faults)
    assert cells == [
        CellFault(3, "r1_file", "'x.fastq' is already used at row 2"),
        CellFault(3, "sample_id", "has no FASTQ files"),
    ]
    assert [fault.place for fault in others] == ["samples[9].lane", "workset_name"]


def test_cells_are_written_over() -> None:
    """Cells of a form count above what was kept, may make new rows, and none that is far away."""
    table = Table(rows=(("a", "", "x.fastq", ""),))
    found = table.written({(0, "sample_id"): "b", (1, "r1_file"): " y.fastq ", (0, "nope"): "x"})
    assert found.rows == (("b", "", "x.fastq", ""), ("", "", "y.fastq", ""))
    assert len(table.written({(999_999, "lane"): "x"}).rows) == 1001
    assert table.written({}) is table


def test_tables_below_each_other() -> None:
    """Rows of another table come below with all their columns; blank ones make way."""
    mine = Table(rows=(("a", "", "x.fastq", ""), ("", "", "", "")))
    theirs = Table(
        columns=("sample_id", "lane", "r1_file", "r2_file", "coverage"),
        rows=(("b", "", "y", "", "30"),),
    )
    both = mine.followed_by(theirs)
    assert both.columns[-1] == "coverage"
    assert both.rows == (("a", "", "x.fastq", "", ""), ("b", "", "y", "", "30"))
    assert both.only(("sample_id", "coverage")).rows == (("a", ""), ("b", "30"))
    assert [line["coverage"] for line in lines_of(both)] == ["", "30"]


@settings(max_examples=25)
@given(st.lists(st.lists(st.text(max_size=5), min_size=4, max_size=4), max_size=4))
def test_what_a_page_keeps_comes_back(rows: list[list[str]]) -> None:
    """JSON and back is the same table, but for outer blanks, whatever is in its cells."""
    table = Table(rows=tuple(tuple(row) for row in rows))
    again = Table.of_json(table.json())
    assert again.rows == tuple(tuple(cell.strip() for cell in row) for row in table.rows)
    assert Table.of_json(again.json()) == again


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "[]", "{}", '{"columns": 1, "rows": []}', '{"columns": ["nope"], "rows": []}',
        '{"columns": ["lane", "lane"], "rows": []}', '{"columns": [["lane"]], "rows": []}',
        '{"columns": ["lane"], "rows": [["a", "b"]]}', '{"columns": ["lane"], "rows": [[1]]}',
        '{"columns": ["lane"], "rows": [{}]}', '{"columns": ["lane"], "rows": {}}', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_table(text: str) -> None:
    """What no page of ours has kept is refused, whatever it is."""
    with pytest.raises(InvalidInputError, match="reload the page"):
        Table.of_json(text)


def test_half_characters_are_replaced() -> None:
    """JSON can say what no page could be made of."""
    assert Table.of_json('{"columns": ["sample_id"], "rows": [["\\ud800a"]]}').rows[0][0] == "\ufffda"


def test_pairs_and_what_is_left() -> None:
    """Mates are found by name; a file that may mean two things has a row of its own and is told."""
    table, faults = paired(["r/a_R1.fastq", "r/a_R2.fastq", "r/b_R2.fastq", "c-1.fastq", "c-2.fastq"])
    assert table.rows[0] == ("a", "", "r/a_R1.fastq", "r/a_R2.fastq")
    assert {row[2] for row in table.rows[1:]} == {"r/b_R2.fastq", "c-1.fastq", "c-2.fastq"}
    assert {fault.place for fault in faults} == {"r/b_R2.fastq", "c-1.fastq", "c-2.fastq"}
    assert paired([]) == (Table(), ())
    assert paired(["a_R2.fastq"])[0].rows == (("", "", "a_R2.fastq", ""),)


def test_every_column_has_a_title() -> None:
    """No cell goes without a name."""
    assert all(TITLES.values())


def test_columns_that_hold_something_in_their_order() -> None:
    """A page's columns come in the order of all columns; those that say nothing can be left away."""
    kept = (
        '{"columns": ["barcode", "vendor", "r1_file", "sample_id"], "rows": [["", "v", "x.fq", "a"]]}'
    )
    table = Table.of_json(kept)
    assert table.columns == ("sample_id", "lane", "r1_file", "r2_file", "vendor", "barcode")
    assert table.held == Table(columns=("sample_id", "r1_file", "vendor"), rows=(("a", "x.fq", "v"),))


def test_a_missing_mate_is_remembered() -> None:
    """A first read alone is a row of its sample; that it lacks a mate is told as long as it does."""
    table, _ = paired(["up/LAMBDA-C_R1.fastq.gz", "x_L002_R1_001.fastq", "y.fastq"])
    assert table.rows == (
        ("y", "", "y.fastq", ""),
        ("LAMBDA-C", "", "up/LAMBDA-C_R1.fastq.gz", ""),
        ("x", "2", "x_L002_R1_001.fastq", ""),
    )
    assert [*mates_missing(table)] == [(1, "LAMBDA-C"), (2, "x")]
    assert [*mates_missing(table.written({(1, "r2_file"): "z.fastq"}))] == [(2, "x")]


def test_lanes_that_nobody_named() -> None:
    """An empty lane is not called 0, which nobody wrote."""
    fault = Fault("samples[0].lane", "sample 'a' has lane '0' 2 times")
    [cell], _ = Table(rows=(("a", "", "x.fastq", ""),)).told([fault])
    assert cell.message == "sample 'a' is in 2 rows without a lane: say in each which one it is"
