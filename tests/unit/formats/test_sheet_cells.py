"""Cells of sheets: whatever is wrong with them, they are all there to be mended."""

import pytest

from daylily.adapters.formats import sheet_cells
from daylily.adapters.formats.sheet_cells import COLUMNS, cells_of
from daylily.adapters.formats.stage_samples import COLUMNS as STAGED

HEAD = "sample,fastq_1,fastq_2\n"


def rows(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a sheet."""
    return cells_of(text.encode()).rows


def test_faulty_cells_are_kept() -> None:
    """What is wrong within cells is the table's to tell; the sheet itself is sound."""
    found = cells_of(f"{HEAD}bad id!,a.txt,\n,b_R1.fastq,b_R1.fastq\n".encode())

    assert found.columns == COLUMNS[:4]
    assert found.rows == (("bad id!", "", "a.txt", ""), ("", "", "b_R1.fastq", "b_R1.fastq"))
    assert found.faults == ()


def test_staged_columns() -> None:
    """All that stage_samples.tsv says has its column; na says nothing, and blank rows do not count."""
    values = dict.fromkeys(STAGED, "na") | {
        "SAMPLE_ID": "NA1",
        "R1_FQ": "a.fastq",
        "SEQ_VENDOR": "ILUMINA",
    }
    lines = ["\t".join(STAGED), "", "\t".join(values.values()), ""]
    found = cells_of("\r\n".join(lines).encode())

    said = dict(zip(found.columns, found.rows[0], strict=True))
    assert {name: text for name, text in said.items() if text} == {
        "sample_id": "NA1", "r1_file": "a.fastq", "vendor": "ILUMINA",
    }  # fmt: skip
    assert len(found.rows) == 1
    assert found.left_out == ()


def test_lanes_are_named_as_in_the_whole_sheet() -> None:
    """Rows of one sample without lanes are L1 and L2; one row alone, or a lane that is said, stays."""
    assert [row[1] for row in rows(f"{HEAD}a,1.fastq,\na,2.fastq,\nb,3.fastq,\n,4.fastq,\n")] == [
        "L1", "L2", "", "",
    ]  # fmt: skip
    assert rows("sample,lane,fastq_1,fastq_2\na,7,1.fastq,\na,,2.fastq,\n")[0][1] == "7"


@pytest.mark.parametrize("separator", [";", "|", "\t"])
def test_other_separators(separator: str) -> None:
    """A table reads what is separated otherwise, which the sheet itself may not be."""
    text = f"{HEAD}a,a_R1.fastq,a_R2.fastq\n".replace(",", separator)
    assert rows(text) == (("a", "", "a_R1.fastq", "a_R2.fastq"),)


def test_without_a_header() -> None:
    """A sheet whose first line names files has no header; all its lines are rows."""
    assert rows("a,a_R1.fastq,\nb,b_R1.fastq,\n") == (
        ("a", "", "a_R1.fastq", ""),
        ("b", "", "b_R1.fastq", ""),
    )


def test_columns_that_mean_nothing() -> None:
    """They are left out, and told; one that looks misspelt or names files is told as a fault."""
    found = cells_of(b"sample,fastq_1,fastq_2,mood,reads3\na,a_R1.fastq,,good,x.fastq\n")
    assert found.left_out == ("mood", "reads3")
    assert [fault.place for fault in found.faults] == ["row 1, reads3"]
    assert len(found.rows[0]) == 4


def test_our_own_tables_come_back() -> None:
    """A CSV with the names of our columns says all that they say."""
    found = cells_of(b"sample_id,lane,r1_file,r2_file,coverage\na,1,a_R1.fastq,,x\n")
    assert found.columns == (*COLUMNS[:4], "coverage")
    assert found.rows == (("a", "1", "a_R1.fastq", "", "x"),)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xff\xfea\0b\0", "is no text in UTF-8"),
        (b"x" * (10 * 1024 * 1024 + 1), "is larger than 10 MiB"),
    ],
)
def test_no_sheet_at_all(data: bytes, told: str) -> None:
    """What cannot be read has no rows, and says why."""
    found = cells_of(data)
    assert found.rows == ()
    assert told in str(found.faults[0])


def test_ragged_rows_and_quotes_that_never_end() -> None:
    """Too many cells are told of their row; a quote without its other half costs no rows before it."""
    found = cells_of(f"{HEAD}a,a_R1.fastq,,more\nb,b_R1.fastq\n".encode())
    assert [fault.place for fault in found.faults] == ["row 2"]
    assert found.rows == (("a", "", "a_R1.fastq", ""), ("b", "", "b_R1.fastq", ""))
    assert cells_of(f'{HEAD}"a,a_R1.fastq,\n'.encode()).faults
    assert rows(HEAD + "a," + "x" * 200_000 + ",\n")[0][0] == "a"


def test_there_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a workset may have lanes are not kept."""
    monkeypatch.setattr(sheet_cells, "MOST_ROWS", 2)
    assert len(rows(HEAD + "a,a.fastq,\n" * 5)) == 2


def test_an_empty_table() -> None:
    """A header alone is a table without rows, and says that there are none."""
    found = cells_of(HEAD.encode())
    assert (found.columns, found.rows) == (COLUMNS[:4], ())
    assert "there are none" in str(found.faults[0])
