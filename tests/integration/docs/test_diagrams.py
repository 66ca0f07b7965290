"""Every diagram of the documentation can be drawn: a slip in one shows on the site alone."""

import os
import re
from pathlib import Path
from typing import Final

import pytest
from scripts.docs_pages import MERMAID, ROOT

CHROMIUM: Final = Path("/usr/bin/chromium")
_FENCE: Final = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
_PARSE: Final = "text => mermaid.parse(text).then(() => '', error => String(error))"


@pytest.mark.chromium
def test_every_diagram_is_sound() -> None:
    """Mermaid itself says so, in a browser."""
    if not (MERMAID.exists() and CHROMIUM.exists()):
        text = "mermaid (`make docs`) and Debian's Chromium (`make engines`) are both needed"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    from playwright.sync_api import sync_playwright

    texts = [(path, path.read_text(encoding="utf-8")) for path in (ROOT / "docs").rglob("*.md")]
    diagrams = [(path.name, each) for path, text in texts for each in _FENCE.findall(text)]
    assert len(diagrams) >= 4
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=MERMAID)
        faults = [(name, page.evaluate(_PARSE, diagram)) for name, diagram in diagrams]
        browser.close()
    assert [fault for fault in faults if fault[1]] == []
