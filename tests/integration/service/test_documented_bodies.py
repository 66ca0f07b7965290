"""What the document says of bodies and queries is what is taken: each part of each, at its bounds."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

import jsonschema
import pytest
from tests.integration.service.service import Service

METHODS: Final = ("put", "post", "patch", "delete", "get")
FORM: Final = "application/x-www-form-urlencoded"
LONGEST: Final = 10_000
"""Bounds of texts beyond it are those of whole bodies."""

Case = tuple[str, str, dict[str, Any], Any]


@pytest.fixture
def document(client: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def at_the_bounds(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Yield values of every type, and those just beside what a schema allows."""
    yield from (
        None,
        "",
        " ",
        "\n",
        "nothing of the kind",
        "a@b",
        0,
        -1,
        0.5,
        1e300,
        True,
        [],
        [None],
        {},
    )
    for each in (schema, *schema.get("anyOf", ())):
        for bound, beyond in (
            ("minimum", -1),
            ("maximum", 1),
            ("exclusiveMinimum", 0),
            ("exclusiveMaximum", 0),
        ):
            if bound in each:
                yield each[bound] + beyond
        if each.get("maxLength", LONGEST) < LONGEST:
            yield "x" * (each["maxLength"] + 1)
        if "maxItems" in each:
            yield ["x"] * (each["maxItems"] + 1)


def spoiled(schema: Mapping[str, Any], example: Any) -> Iterator[Any]:
    """Yield an object with one of its properties replaced, left out or added, at any depth."""
    yield {**example, "not_known_here": 1}
    for name, inside in schema["properties"].items():
        yield {key: value for key, value in example.items() if key != name}
        for value in at_the_bounds(inside):
            yield {**example, name: value}
        items = inside.get("items", {})
        if "properties" in items and example.get(name):
            for each in spoiled(items, example[name][0]):
                yield {**example, name: [each]}


def bodies(document: Mapping[str, Any]) -> Iterator[Case]:
    """Yield bodies that are not as the document says, with where to send them."""
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            valid = jsonschema.Draft202012Validator(content["schema"])
            assert valid.is_valid(content["example"]), (method, path)
            for body in spoiled(content["schema"], deepcopy(content["example"])):
                if not valid.is_valid(body):
                    yield method, path, body, query_of(operation)


def queries(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield values of parameters that are not as the document says."""
    for path, method, operation in operations(document):
        for each in operation.get("parameters", ()):
            schema = each["schema"]
            if each["in"] != "query" or schema["type"] == "array" or each["name"] == "cursor":
                continue  # a cursor is for its listing to judge, once that is found
            valid = jsonschema.Draft202012Validator(schema)
            texts = {value for value in at_the_bounds(schema) if isinstance(value, str)}
            for text in sorted({*texts, "2026-W01-1", "-1", "1e2", "1_0", "true"}):
                if not any(map(valid.is_valid, (text, *number(text)))):
                    yield method, path, each["name"], text


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for template, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                path = template
                for each in item[method].get("parameters", ()):
                    if each["in"] == "path":
                        path = path.replace(f"{{{each['name']}}}", each["example"])
                yield path, method, item[method]


def query_of(operation: Mapping[str, Any]) -> dict[str, str]:
    found = (each for each in operation.get("parameters", ()) if each["in"] == "query")
    return {each["name"]: "x" for each in found if each["required"]}


def number(text: str) -> tuple[float, ...]:
    return (float(text),) if text.isdecimal() else ()


def test_no_body_is_taken_that_the_document_rules_out(client: Any, document: Mapping[str, Any]) -> None:
    """Whatever is wrong with one property of a body, wherever it is sent, it is refused."""
    cases = [*bodies(document)]
    taken = []
    for method, path, body, query in cases:
        answer = client.request(method, path, json=body, params=query)
        if answer.status_code not in {400, 422}:
            taken.append((method, path, body, answer.status_code))
    assert not taken
    assert len(cases) > 500


def test_no_query_is_taken_that_the_document_rules_out(
    service: Service, client: Any, document: Mapping[str, Any]
) -> None:
    """Whatever is wrong with one parameter of a query, it is refused."""
    cases = [*queries(document)]
    workset_id = service.submitted_directly()
    taken = []
    for method, template, name, text in cases:
        path = template.replace("run-7-3f9a1c2b", workset_id)
        answer = client.request(method, path, params={name: text})
        if answer.status_code not in {400, 422}:
            taken.append((method, path, name, text, answer.status_code))
    assert not taken
    assert len(cases) > 50
