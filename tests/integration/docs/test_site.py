"""The site of the documentation: it is built, and what is made of the program is all there."""

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
