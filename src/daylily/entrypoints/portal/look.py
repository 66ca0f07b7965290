"""How things look on a page: templates, words, and what to do when something went wrong."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from importlib import resources
from typing import Any, Final
from urllib.parse import quote

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from markupsafe import Markup, escape

from daylily.domain import passwords
from daylily.domain.brief import brief
from daylily.domain.lifecycle import State
from daylily.entrypoints.sizes import size_of
from daylily.entrypoints.spans import span_of

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

TONES: Final[Mapping[str, str]] = {
    State.READY: "waiting",
    State.LOCKED: "waiting",
    State.IN_PROGRESS: "running",
    State.RETRYING: "warning",
    State.COMPLETE: "good",
    State.ERROR: "bad",
    State.FAILED: "bad",
}
"""Colours go by these; whatever is not named has come to rest."""

_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@frozen
class Asset:
    """A file that pages refer to."""

    content: bytes
    media_type: str
    version: str
    packed: bytes | None = None
    """The content as most browsers get it; None for what does not become smaller."""


def _assets() -> Mapping[str, Asset]:
    types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    found = {}
    for file in resources.files("daylily.entrypoints.portal").joinpath("static").iterdir():
        media_type = types.get(file.name.rpartition(".")[2])
        if media_type is not None:
            content = file.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:12]
            packed = gzip.compress(content, mtime=0)
            smaller = packed if len(packed) < len(content) else None
            found[file.name] = Asset(content, media_type, version, smaller)
    return found


ASSETS: Final = _assets()


def clean_log(text: str) -> str:
    """
    Return what a program has written without what only a terminal understands.

    >>> clean_log("\\x1b[31mno reads\\x1b[0m\\r\\n")
    'no reads\\n'
    """
    return _CONTROL.sub("", _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))


def page(template: str, *, status_code: int = 200, **values: Any) -> Response[str]:
    """Return a page; everything in it is escaped."""
    return Response(
        _environment.get_template(template).render(**values),
        status_code=status_code,
        media_type="text/html",
        headers={"Content-Security-Policy": POLICY},
    )


def _asset(name: str) -> str:
    return f"/portal/static/{name}?v={ASSETS[name].version}"


def _moment(text: str | None) -> Markup:
    """Return an instant for people: UTC as it stands, in their own zone once the script has run."""
    return _time(text, "%Y-%m-%d %H:%M", "minute")


def _second(text: str | None) -> Markup:
    """Return an instant to the second, for what happens several times a minute."""
    return _time(text, "%Y-%m-%d %H:%M:%S", "second")


def _time(text: str | None, form: str, to: str) -> Markup:
    if not text:
        return Markup("-")
    at = datetime.fromisoformat(text)
    return Markup('<time datetime="{}" title="{} UTC" data-to="{}">{} UTC</time>').format(
        text, f"{at:%Y-%m-%d %H:%M:%S}", to, f"{at:{form}}"
    )


def _badge(state: str) -> Markup:
    return Markup('<span class="badge {}">{}</span>').format(
        TONES.get(state, "quiet"), state.replace("_", " ")
    )


def _usd(amount: float | Decimal) -> str:
    return f"${amount:,.2f}"


def _key(key: str) -> str:
    return quote(key, safe="/")


def _bidi(text: object) -> Markup:
    """Return a name from outside so that letters that run the other way cannot rearrange a page."""
    return Markup("<bdi>{}</bdi>").format(escape(text))


_environment: Final = Environment(
    loader=PackageLoader("daylily.entrypoints.portal"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {
    "moment": _moment, "second": _second, "size": size_of, "badge": _badge, "key": _key, "name": _bidi,
    "span": span_of, "usd": _usd, "brief": brief,
}  # fmt: skip
_environment.globals["asset"] = _asset
_environment.globals["password_rule"] = {"shortest": passwords.SHORTEST, "longest": passwords.LONGEST}
