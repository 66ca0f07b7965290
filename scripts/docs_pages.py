"""
Pages of the documentation that are made of the program, as a hook of mkdocs.

Settings, commands and routes are read from what defines them, so these pages can neither lack one nor
tell of one that has gone. The first page is the README; decisions are listed as they are found.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import click

ROOT = Path(__file__).parent.parent
ADR = ROOT / "docs" / "adr"
MERMAID = ROOT / ".engines" / "mermaid" / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
"""What draws diagrams (`make docs` brings it); without it they show as text."""
_DRAWS = "assets/mermaid.min.js"
_DIAGRAM = re.compile(r'<pre><code class="language-mermaid">(.*?)</code></pre>', re.DOTALL)

_PRECEDENCE = """\
Flags win over the environment, that over the YAML file, and that over the defaults. What is in
force and where it comes from is told by `daylily config show`; what makes no sense is refused,
all at once. Each has its name in the YAML file, and below it that of its variable.
"""


# What mkdocs calls


def on_config(config: Any) -> Any:
    """Put the decisions into the navigation."""
    for section in config["nav"]:
        for name, pages in section.items():
            if name == "Reference":
                pages[-1] = {
                    "Decisions": ["adr/README.md", *(f"adr/{path.name}" for path in decisions())]
                }
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made."""
    from mkdocs.structure.files import File

    for path, content in pages().items():
        files.append(File.generated(config, path, content=content))
    if MERMAID.exists():
        files.append(File.generated(config, _DRAWS, abs_src_path=str(MERMAID)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """List the decisions on their page."""
    if page.file.src_uri != "adr/README.md":
        return markdown
    return markdown + "\n" + "".join(f"- [{title(path)}]({path.name})\n" for path in decisions())


def on_page_content(html: str, page: Any, files: Any, **_: Any) -> str:
    """Have diagrams drawn, by a script that the site brings along."""
    if not MERMAID.exists() or not _DIAGRAM.search(html):
        return html
    drawn = _DIAGRAM.sub(r'<pre class="mermaid">\1</pre>', html)
    source = files.get_file_from_path(_DRAWS).url_relative_to(page.file)
    settings = '{startOnLoad: true, securityLevel: "strict", theme: "neutral"}'
    return (
        f'{drawn}\n<script src="{source}"></script>\n<script>mermaid.initialize({settings});</script>'
    )


def pages() -> dict[str, str]:
    """Return all pages that are made, by their paths."""
    return {
        "index.md": home(),
        "reference/settings.md": settings(),
        "reference/commands.md": commands(),
        "reference/api.md": api(),
    }


# The first page, and decisions


def home() -> str:
    """Return the README, its links as they are from within docs/."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = text.replace("](docs/adr)", "](adr/README.md)").replace("](docs/", "](")
    # What is not part of the site is named, and led to by nothing.
    return re.sub(
        r"\[([^\]]*)\]\((?:src|examples|CONTRIBUTING|CHANGELOG|changelog)[^)]*\)", r"\1", text
    )


def decisions() -> list[Path]:
    """Return the files of decisions, in their order."""
    return sorted(path for path in ADR.glob("*.md") if path.name[:4].isdigit())


def title(path: Path) -> str:
    """Return the title of a page."""
    return path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


# Settings


def settings() -> str:
    """Return the page of settings."""
    from daylily.config import Settings

    lines = [
        "# Settings",
        "",
        _PRECEDENCE,
        "",
        "| setting | default | what it says |",
        "|---|---|---|",
    ]
    for field in attrs.fields(Settings):
        names = [field.metadata.get("variable"), *field.metadata.get("fallbacks", ())]
        called = "<br>".join(f"`{name}`" for name in (field.name, *names) if name)
        lines.append(f"| {called} | {_default(field)} | {_cell(field.metadata['help'])} |")
    return "\n".join(lines) + "\n"


def _default(field: Any) -> str:
    value = field.default
    if field.name == "home":
        return "a folder of the user's own"
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        return ""
    if isinstance(value, timedelta):
        return f"`{value.total_seconds():g}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, tuple):
        return "those shipped"
    return f"`{value}`"


# Commands


def commands() -> str:
    """Return the page of commands."""
    from daylily.entrypoints.cli import cli
    from daylily.entrypoints.cli.workset_monitor import workset_monitor
    from daylily.entrypoints.cli.workset_report import workset_report

    parts = ["# Commands", ""]
    for command, name in (
        (cli, "daylily"),
        (workset_monitor, "daylily-workset-monitor"),
        (workset_report, "daylily-workset-report"),
    ):
        for path, context in _walk(command, name):
            help_text = context.command.get_help(context)
            parts += [f"## {path}", "", "```text", help_text.rstrip(), "```", ""]
    return "\n".join(parts)


def _walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Context]]:
    context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
    yield name, context
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            if found is not None and not found.hidden:
                yield from _walk(found, f"{name} {each}")


# Routes


def api() -> str:
    """Return the page of routes."""
    document = openapi()
    parts = [
        "# HTTP API",
        "",
        document["info"]["description"].strip(),
        "",
        "`GET /openapi.json` is the whole of it, for programs; `/docs` is a page to try it on.",
        "",
    ]
    by_tag: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, Mapping) and "responses" in operation:
                by_tag[operation["tags"][0]] += _operation(method, path, operation, document)
    for tag in document["tags"]:
        parts += [f"## {tag['name']}", "", tag.get("description", ""), "", *by_tag[tag["name"]]]
    return "\n".join(parts)


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document, as a server gives it."""
    from daylily.bootstrap import bootstrap
    from daylily.config import Settings
    from daylily.entrypoints.http.app import create_asgi

    app = bootstrap(Settings(store="memory", engine="memory"))
    found: dict[str, Any] = create_asgi(app, admin_token="x" * 16).openapi_schema.to_schema()
    return found


def _operation(
    method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> list[str]:
    lines = [f"### {method.upper()} {path}", "", f"{_cell(operation.get('summary', ''))}."]
    if operation.get("security") == []:
        lines += ["", "Needs no token."]
    given = [_resolved(each, document) for each in operation.get("parameters", ())]
    if given:
        lines += ["", "| parameter | in | what it says |", "|---|---|---|"]
        lines += [
            f"| `{each['name']}` | {each['in']} | {_cell(each.get('description') or '')} |"
            for each in given
        ]
    body = operation.get("requestBody")
    if body:
        kinds = ", ".join(f"`{kind}`" for kind in _resolved(body, document).get("content", {}))
        lines += ["", f"Body: {kinds}."]
    lines += ["", "| status | |", "|---|---|"]
    for status, answer in sorted(operation["responses"].items()):
        lines.append(f"| {status} | {_cell(_resolved(answer, document).get('description', ''))} |")
    return [*lines, ""]


def _resolved(value: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def _cell(text: str) -> str:
    """Return a text as it may stand in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
