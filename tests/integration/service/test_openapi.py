"""The OpenAPI document: every route described, with examples that are true; and the page about it."""

import gzip
import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

METHODS = ("get", "put", "post", "delete", "patch")


@pytest.fixture
def document(client: Any) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method} {path}", item[method]


def test_every_route_is_described(document: dict[str, Any]) -> None:
    """Each operation has a name of its own, a known tag, a summary and its errors as problems."""
    assert document["openapi"].startswith("3.1")
    tags = {tag["name"] for tag in document["tags"]}
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)

    for where, operation in operations(document):
        assert re.fullmatch(r"[a-z]+[A-Za-z]*", operation["operationId"]), where
        assert set(operation["tags"]) <= tags, where
        assert operation["summary"], where
        assert any(status < "400" for status in operation["responses"]), where
        for status, response in operation["responses"].items():
            if status >= "400" and "$ref" in response:
                name = response["$ref"].rpartition("/")[2]
                content = document["components"]["responses"][name]["content"]
                assert list(content) == ["application/problem+json"], where
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (where, parameter["name"])


def test_who_is_asked_for_a_token(document: dict[str, Any]) -> None:
    """What needs no token says so, and everything else may answer 401."""
    for where, operation in operations(document):
        public = operation.get("security") == []
        if public and operation["tags"] == ["accounts"]:
            assert "401" in operation["responses"] or "name" in str(operation["requestBody"]), where
            continue  # whoever signs in shows a password, not a token
        assert public != ("401" in operation["responses"]), where


def test_who_honours_keys(document: dict[str, Any]) -> None:
    """Each POST that looks at ``Idempotency-Key`` says so, and no other operation does."""
    for where, operation in operations(document):
        names = [each["name"] for each in operation.get("parameters", ())]
        honours = where.startswith("post") and operation.get("security") != []
        assert ("Idempotency-Key" in names) == honours, where
        if honours:
            assert {"409", "422"} <= operation["responses"].keys(), where


def test_bodies_have_examples(document: dict[str, Any]) -> None:
    """Every JSON body that can be sent is shown, and what is not known in it is refused."""
    for where, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            assert content["example"], where
            assert content["schema"]["additionalProperties"] is False, where


def test_no_reference_leads_nowhere(document: dict[str, Any]) -> None:
    """Whatever the document refers to is in it."""
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]


def test_the_page_needs_no_other_host(client: Any) -> None:
    """The page, its script and its style come from here, under a policy that lets in nothing else."""
    page = client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "http" not in re.sub(r"[a-z-]+=\"http-equiv\"", "", page.text)

    for name in re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text):
        answer = client.get(f"/{name}")
        assert answer.status_code == 200
        etag = answer.headers["etag"]
        assert client.get(f"/{name}", headers={"if-none-match": etag}).status_code == 304
        plain = client.get(f"/{name}", headers={"accept-encoding": "identity"})
        assert plain.content == answer.content
        assert "content-encoding" not in plain.headers
    assert client.get("/docs/nothing.js").status_code == 404


def test_the_bundle_is_whole() -> None:
    """What is shipped is Swagger UI, and unpacks."""
    folder = resources.files("daylily.entrypoints.http").joinpath("swagger_ui")
    script = gzip.decompress(folder.joinpath("swagger-ui-bundle.js.gz").read_bytes())
    style = gzip.decompress(folder.joinpath("swagger-ui.css.gz").read_bytes())
    assert b"SwaggerUIBundle" in script
    assert b".swagger-ui" in style
    assert "Apache License" in folder.joinpath("LICENSE").read_text(encoding="utf-8")
