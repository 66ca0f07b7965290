"""Which kind a sheet is, and what is said of a wrong separator."""

import pytest

from daylily.adapters.formats.sheets import kind_of
from daylily.adapters.formats.stage_samples import COLUMNS
from daylily.domain.errors import InvalidInputError

NF_CORE = "sample,fastq_1,fastq_2\nA,a_R1.fq,a_R2.fq\n"
STAGED = "\t".join(COLUMNS) + "\n" + "\t".join(("R0", "A", "x", "b", "p", "ILMN", "N", "0", "S1", "",
                                               "a_R1.fq", "a_R2.fq")) + "\n"  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        NF_CORE,
        STAGED,
        "A,a_R1.fq,a_R2.fq\n",
        "\ufeff" + NF_CORE,
        '"sample","lane","fastq_1","fastq_2"\n"A","1","a;R1.fq","a_R2.fq"\n',
    ],
)
def test_sound_sheets(text: str) -> None:
    """Both kinds are known by their columns, the one also without a header."""
    sheet = kind_of(text.encode()).read(text.encode())

    assert [sample.sample_id for sample in sheet.samples] == ["A"]


@pytest.mark.parametrize(
    ("text", "has", "wants"),
    [
        (NF_CORE.replace(",", ";"), "semicolons", "commas"),
        (NF_CORE.replace(",", "\t"), "TABs", "commas"),
        (NF_CORE.replace(",", "|"), "'|'", "commas"),
        ("A;a_R1.fq;a_R2.fq\n", "semicolons", "commas"),
        ("A\ta_R1.fq\ta_R2.fq\n", "TABs", "commas"),
        (STAGED.replace("\t", ","), "commas", "TABs"),
        (STAGED.replace("\t", ";"), "semicolons", "TABs"),
    ],
)
def test_wrong_separator(text: str, has: str, wants: str) -> None:
    """One fault names the separator that is there and the one that should be."""
    with pytest.raises(InvalidInputError) as caught:
        kind_of(text.encode()).read(text.encode())

    [fault] = caught.value.faults
    assert fault.place == "row 1"
    assert f"separated by {has}; save the sheet with {wants}" in fault.message


@pytest.mark.parametrize("data", [b"", b"\n\n", b"junk", b"\xff\xfe,\t;", b"a\tb\n", b"a,b\n"])
def test_neither(data: bytes) -> None:
    """What is no sheet is refused by a parser, with faults of its own."""
    for staged in (False, True):
        with pytest.raises(InvalidInputError):
            kind_of(data, staged=staged).read(data)


def test_the_name_decides() -> None:
    """A stage_samples.tsv without its header is told what is missing, not taken for the other kind."""
    data = b"R0\tA\ta_R1.fq\ta_R2.fq\n"
    with pytest.raises(InvalidInputError, match="columns are missing: RUN_ID"):
        kind_of(data, staged=True).read(data)
