"""The portal's door, as tests go through it."""

import re
from typing import Any

from tests.integration.service.service import TOKEN


def csrf_of(page: Any) -> str:
    """Return the token of the first form on a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def sign_in(client: Any, token: str = TOKEN, **fields: str) -> Any:
    """Fill in the form, as a browser would."""
    form = {"csrf": csrf_of(client.get("/portal/login")), "token": token, **fields}
    return client.post("/portal/login", data=form)
