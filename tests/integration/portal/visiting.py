"""Somebody with a browser, who notices whatever a page should not have done."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from attrs import define, field
from tests.integration.http.live import TOKEN

PHONE: Final = {"width": 320, "height": 640}
DESK: Final = {"width": 1200, "height": 850}

_REPORT_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (event) => {
  const place = `${event.sourceFile}:${event.lineNumber}`;
  window.violated(`${event.violatedDirective}: ${event.blockedURI} ${event.sample} (${place})`);
});
"""


@define(slots=False)  # Playwright leaves marks on what listens to it
class Visitor:
    """A browser of somebody who is signed in, or not; ``page`` is what they look at."""

    url: str
    context: Any
    page: Any
    troubles: list[str] = field(factory=list)
    """What the console, scripts and the content security policy have complained of."""
    refused: set[str] = field(factory=set)
    """What the console says of pages whose status was to be an error."""
    hosts: set[str] = field(factory=set)
    """Whom pages have asked for anything."""

    @classmethod
    @contextmanager
    def arriving(
        cls, browser: Any, url: str, *, cookie: dict[str, Any] | None, **context: Any
    ) -> Iterator["Visitor"]:
        """
        Open a browser for somebody.

        Args:
            cookie: Of their session, see session_cookie; None leaves them at the door.
            context: Of Playwright's ``new_context``: ``viewport``, ``timezone_id`` ...
        """
        opened = browser.new_context(
            **{"viewport": DESK, "color_scheme": "light", "reduced_motion": "reduce", **context}
        )
        opened.set_default_timeout(30_000)
        visitor = cls(url, opened, opened.new_page())
        visitor._watch()
        try:
            if cookie is not None:
                opened.add_cookies([cookie])
            yield visitor
            visitor.check()
        finally:
            opened.close()

    def _watch(self) -> None:
        self.context.expose_function("violated", lambda text: self.troubles.append(text))
        self.context.add_init_script(_REPORT_VIOLATIONS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.text} ({message.location.get('url', '')})")

    def goes_to(self, path: str) -> Any:
        """Open an address of the service; return the browser's response."""
        return self.page.goto(f"{self.url}{path}")

    def expects_status(self, status: int) -> None:
        """Take no offence at the console's word on a page whose status was to be an error."""
        if status >= 400:
            self.refused.add(f"status of {status}")

    def check(self) -> None:
        """Nothing may have complained, and nothing been asked of another host."""
        troubles = [text for text in self.troubles if not any(each in text for each in self.refused)]
        assert troubles == [], troubles
        assert self.hosts <= {urlsplit(self.url).netloc, ""}, self.hosts


def session_cookie(url: str, token: str = TOKEN) -> dict[str, Any]:
    """Sign in without a browser; return the cookie to be put into one."""
    with httpx.Client(base_url=url) as client:
        form = client.get("/portal/login").text
        csrf = re.search(r'name="csrf" value="([^"]+)"', form)
        assert csrf, form
        answer = client.post("/portal/login", data={"csrf": csrf[1], "token": token})
        assert answer.status_code == 303, answer.text
        (cookie,) = [each for each in client.cookies.jar if each.name.endswith("daylily_session")]
        return {
            "name": cookie.name,
            "value": str(cookie.value),
            "domain": urlsplit(url).hostname,
            "path": cookie.path,
            "httpOnly": True,
            "sameSite": "Strict",
        }
