"""The site of the documentation: it is built, and what is made of the program is all there."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import attrs
import click
import pytest
from scripts import docs_pages

from daylily.config import Settings
from daylily.entrypoints.cli import cli

ROOT: Final = Path(__file__).parents[3]
_LINK: Final = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it as `make docs` does: a link that leads nowhere fails, and so does a page in no menu."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_it_stands_by_itself(site: Path) -> None:
    """Every page is there, and none loads a script or a style from another host."""
    for path in (ROOT / "docs").rglob("*.md"):
        name = "index.html" if path.name == "README.md" else path.with_suffix(".html").name
        assert (site / path.relative_to(ROOT / "docs").with_name(name)).exists()
    for page in ("index.html", "runbook.html", "reference/api.html"):
        text = (site / page).read_text(encoding="utf-8")
        assert not re.search(r"<(script|link|img)[^>]+(src|href)=\"(https?:)?//", text)


def test_diagrams_are_drawn_by_what_the_site_brings(site: Path) -> None:
    """No page shows the text of one; with CI=true what draws them has to be there."""
    if not docs_pages.MERMAID.exists():
        text = "mermaid is not installed: `make docs` brings it"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    assert (site / "assets" / "mermaid.min.js").stat().st_size > 1 << 20
    written = [path for path in (ROOT / "docs").rglob("*.md") if "```mermaid" in path.read_text()]
    assert written
    for path in written:
        page = site / path.relative_to(ROOT / "docs").with_suffix(".html")
        html = page.read_text(encoding="utf-8")
        assert "language-mermaid" not in html
        assert html.count('<pre class="mermaid">') == path.read_text().count("```mermaid")
        [source] = re.findall(r'<script src="([^"]*mermaid[^"]*)"', html)
        assert (page.parent / source).resolve() == (site / "assets" / "mermaid.min.js").resolve()


def test_settings_are_all_there() -> None:
    """Each with its variable; none that is secret shows a value."""
    page = docs_pages.settings()
    for field in attrs.fields(Settings):
        (line,) = [each for each in page.splitlines() if each.startswith(f"| `{field.name}`")]
        if variable := field.metadata.get("variable"):
            assert f"`{variable}`" in line


def test_commands_are_all_there() -> None:
    """Each of the table, and those within."""
    page = docs_pages.commands()
    context = click.Context(cli)
    for name in cli.list_commands(context):
        assert f"\n## daylily {name}\n" in page
    assert "\n## daylily auth create-token\n" in page
    assert "\n## daylily-workset-monitor\n" in page


def test_routes_are_all_there() -> None:
    """Each of the OpenAPI document, under its tag."""
    page = docs_pages.api()
    for path, methods in docs_pages.openapi()["paths"].items():
        for method in methods.keys() & {"get", "put", "post", "patch", "delete", "head"}:
            assert f"\n### {method.upper()} {path}\n" in page


def test_links_of_the_guide_and_the_readme_lead_somewhere() -> None:
    """All of them, also where it is read as a file."""
    for path in (ROOT / "README.md", ROOT / "docs" / "INTEGRATION_GUIDE.md"):
        found = _LINK.findall(path.read_text(encoding="utf-8"))
        assert found
        for link in found:
            assert link.startswith("https://") or (path.parent / link).exists(), f"{path}: {link}"


def test_every_threat_names_the_test_that_shows_what_meets_it() -> None:
    """And the files and tests that the page of security names are there."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    _, *table = page.partition("| threat |")[2].partition("\n\n")[0].splitlines()[1:]
    assert len(table) >= 17
    for row in table:
        _, _, where, shown = (cell.strip() for cell in row.strip("|").split("| "))
        for name in re.findall(r"`([a-z_/]+\.py)`", where):
            assert [*ROOT.glob(f"src/daylily/**/{name}"), *ROOT.glob(name)], row
        file, test = re.findall(r"`([^`]+)`", shown)
        [path] = (ROOT / "tests").rglob(file)
        assert f"def {test}(" in path.read_text(encoding="utf-8"), row
