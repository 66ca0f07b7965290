"""Cells as spreadsheets read them: nothing that somebody else has written becomes a formula."""

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: str) -> str:
    """
    Return a text that a spreadsheet takes for a text: what stands there, a customer may have written.

    >>> harmless("=HYPERLINK(1)"), harmless("12.50")
    ("'=HYPERLINK(1)", '12.50')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
