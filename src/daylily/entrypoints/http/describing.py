"""What the OpenAPI document says of a route beyond its types: ``@get(path, **described(...))``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from attrs import frozen
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import OpenAPI, Operation

from daylily.entrypoints.http.problems import KINDS, MEDIA_TYPE, Kind

Json = Mapping[str, Any]

_HEADERS: Final = {
    "Location": "Where the new resource is.",
    "ETag": "Its version: send it as `If-Match` with a change that is meant for this version alone.",
    "X-Next-Cursor": "Give it as `cursor` to get the next part; absent at the end.",
    "Retry-After": "Seconds to wait before asking again.",
    "WWW-Authenticate": "How to authenticate.",
    "Content-Disposition": "The file's name.",
    "Upload-Offset": "How many bytes have been appended.",
    "Content-Range": "Which bytes of how many these are.",
}
_NAMES: Final = {
    400: "BadRequest",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    412: "PreconditionFailed",
    413: "TooLarge",
    415: "WrongMediaType",
    421: "Misdirected",
    422: "InvalidInput",
    429: "TooManyRequests",
    503: "Unavailable",
}
"""Statuses of problems, and what each is called among the document's components."""
_WITH_BODY: Final = frozenset({400, 403, 413, 415, 422})

CUSTOMER_ID: Final = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
WORKSET_ID: Final = "^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$"
KEY: Final = r"^[^/\\\x00-\x1f]+(/[^/\\\x00-\x1f]+)*$"

_IN_PATH: Final[Mapping[str, Json]] = {
    "cid": {
        "description": "A customer's id; `-` stands for every customer whom the caller sees.",
        "schema": {"type": "string", "pattern": f"({CUSTOMER_ID})|^-$"},
        "example": "local",
    },
    "workset_id": {
        "description": "A workset's id.",
        "schema": {"type": "string", "pattern": WORKSET_ID},
        "example": "run-7-3f9a1c2b",
    },
    "name": {
        "description": "What somebody signs in by.",
        "schema": {"type": "string", "minLength": 3, "maxLength": 128},
        "example": "ada@acme.example",
    },
    "token_id": {
        "description": "A token's id, as listings tell it: not its text.",
        "schema": {"type": "string", "pattern": "^[a-z0-9]{10}$"},
        "example": "k3v9d0q2xa",
    },
    "upload_id": {
        "description": "What an upload is known by.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
        "example": "WyJydW43L2FfUjEuZmFzdHEuZ3oiLDcs",
    },
    "key": {
        "description": "Where a file is, relative to where its listing begins.",
        "schema": {"type": "string", "pattern": KEY},
        "example": "run7/a_R1.fastq.gz",
    },
}


@frozen
class Body:
    """The body of a request."""

    schema: Json
    example: Any = None
    media_type: str = "application/json"
    required: bool = True
    form: Json | None = None
    """The schema of the same as ``multipart/form-data``, where it is taken so."""


@frozen(kw_only=True)
class _Told:
    """What a route says of itself."""

    body: Body | None
    parameters: tuple[Json, ...]
    errors: frozenset[int]
    sends: tuple[str, ...]
    example: Any
    media_type: str | None
    also: Mapping[int, Json]
    public: bool


def described(
    operation_id: str,
    tag: str,
    *,
    body: Body | None = None,
    parameters: Iterable[Json] = (),
    errors: Iterable[int] = (),
    sends: Iterable[str] = (),
    example: Any = None,
    media_type: str | None = None,
    also: Mapping[int, Json] | None = None,
    public: bool = False,
) -> dict[str, Any]:
    """
    Return the keyword arguments of a route handler that describe it.

    Errors that follow from the rest need not be named: those of authentication, of a body, of a path.

    Args:
        operation_id: A verb and its object, in camel case: client generators make methods of it.
        parameters: Of query and headers (``in_query``, ``in_header``), which the handler reads itself.
        errors: Statuses of problems that the handler's use cases lead to.
        sends: Names of headers of the response.
        example: The body of a response.
        media_type: Of the response, where it is not JSON.
        also: Further responses (``answer``), by status.
        public: Whether it answers everybody.
    """
    told = _Told(
        body=body,
        parameters=tuple(parameters),
        errors=frozenset(errors),
        sends=tuple(sends),
        example=example,
        media_type=media_type,
        also=also or {},
        public=public,
    )

    @dataclass
    class Described(Operation):
        def to_schema(self) -> dict[str, Any]:
            return _completed(super().to_schema(), told)

    return {"operation_id": operation_id, "tags": [tag], "operation_class": Described}


def in_query(name: str, schema: Json, description: str, *, required: bool = False) -> Json:
    """Return a parameter of a query."""
    return {
        "name": name,
        "in": "query",
        "description": description,
        "required": required,
        "schema": schema,
    }


def in_header(name: str, schema: Json, description: str) -> Json:
    """Return a header of a request, which may be left out."""
    return {
        "name": name,
        "in": "header",
        "description": description,
        "required": False,
        "schema": schema,
    }


def answer(description: str, schema: Json | None, media_type: str = "application/json") -> Json:
    """Return a response that is no problem."""
    if schema is None:
        return {"description": description}
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _completed(operation: dict[str, Any], told: _Told) -> dict[str, Any]:
    text = operation.pop("description", "").strip().replace("``", "`")
    operation["summary"] = text.partition("\n")[0].rstrip(".").replace("`", "")
    operation["description"] = text
    operation.pop("deprecated", None)
    in_path = [each for each in operation.pop("parameters", ()) if each["in"] == "path"]
    parameters = [
        *(
            {"name": each["name"], "in": "path", "required": True} | _described(each)
            for each in in_path
        ),
        *told.parameters,
    ]
    if parameters:
        operation["parameters"] = parameters
    if told.body is not None:
        operation["requestBody"] = _request_body(told.body)
    if told.public:
        operation["security"] = []
    responses = {
        status: _success(response, told, status)
        for status, response in operation["responses"].items()
        if status < "400"  # what the framework says of errors is not what we answer
    }
    responses |= {str(status): response for status, response in told.also.items()}
    for status in sorted(_errors(told, in_path=bool(in_path))):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{_NAMES[status]}"})
    operation["responses"] = responses
    return operation


def _described(parameter: Json) -> dict[str, Any]:
    plain = {"description": parameter.get("description", ""), "schema": parameter["schema"]}
    return dict(_IN_PATH.get(parameter["name"], plain))


def _request_body(body: Body) -> Json:
    content: dict[str, Any] = {"schema": body.schema}
    if body.example is not None:
        content["example"] = body.example
    contents = {body.media_type: content}
    if body.form is not None:
        contents["multipart/form-data"] = {"schema": body.form}
    return {"required": body.required, "content": contents}


def _success(response: dict[str, Any], told: _Told, status: str) -> Json:
    if status == "204":
        return {"description": response["description"]}
    if told.media_type is not None:
        schema = {"type": "string"} if told.media_type.startswith("text/") else {}
        response["content"] = {told.media_type: {"schema": schema}}
    if told.example is not None:
        for content in response.get("content", {}).values():
            content["example"] = told.example
    response.pop("headers", None)
    if told.sends:
        response["headers"] = {name: _header(name) for name in told.sends}
    return response


def _header(name: str) -> Json:
    return {"description": _HEADERS[name], "schema": {"type": "string"}}


def _errors(told: _Told, *, in_path: bool) -> frozenset[int]:
    names = {each["name"] for each in told.parameters}
    found = {421, 429, 503} | told.errors
    if not told.public:
        found |= {401, 403}
    if told.body is not None:
        found |= _WITH_BODY
    if in_path:
        found |= {404, 422}
    if told.parameters:
        found.add(422)
    if "cursor" in names:
        found.add(400)
    if "If-Match" in names:
        found.add(412)
    return frozenset(found)


# The document as a whole

PROBLEM: Final[Json] = {
    "title": "Problem",
    "description": "An error as RFC 9457 has it.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Which kind it is, for programs: a URN."},
        "title": {"type": "string", "description": "What all of its kind have in common."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What is wrong, and what to do about it."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "Also the header `X-Request-Id`."},
        "faults": {
            "type": "array",
            "description": "Everything that is wrong with what was sent, each at its place.",
            "items": {
                "type": "object",
                "required": ["place", "message"],
                "properties": {"place": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_FRAMEWORK: Final = (Kind(413, "content-too-large", "The body is larger than is taken here"),)
_DETAILS: Final = {
    404: "there is no workset run-7-3f9a1c2b",
    409: "run-7-3f9a1c2b is complete, and cannot become canceled",
    412: "run-7-3f9a1c2b has moved on since it was read: read it again",
    422: "limit: '0' is not a whole number from 1 to 1000",
}


def _problem(status: int, kinds: list[Kind]) -> Json:
    detail = _DETAILS.get(status, kinds[0].title)
    example: dict[str, Any] = {
        "type": f"urn:daylily:problem:{kinds[0].slug}",
        "title": kinds[0].title,
        "status": status,
        "detail": detail,
        "instance": "/v1/worksets/run-7-3f9a1c2b",
        "request_id": "5e1f0a9b7c3d2e4f",
    }
    if status == 422:
        place, _, message = detail.partition(": ")
        example["faults"] = [{"place": place, "message": message}]
    sent = sorted({name for each in kinds for name in each.headers})
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {
        "description": "; or: ".join(dict.fromkeys(each.title for each in kinds)),
        "headers": {name: _header(name) for name in sent},
        "content": {MEDIA_TYPE: content},
    }


def _problems() -> Json:
    """Return every problem that routes answer with, by the name under which they refer to it."""
    kinds = [*KINDS.values(), *_FRAMEWORK]
    by_status = {status: [each for each in kinds if each.status == status] for status in _NAMES}
    return {_NAMES[status]: _problem(status, found) for status, found in by_status.items() if found}


_IDEMPOTENCY_KEY: Final = in_header(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "Best a UUID: sent again under the same key, the same request is answered as before.",
)


def _add_key(operation: dict[str, Any] | None) -> None:
    """Say of an operation that it honours the key: all do that change something for somebody known."""
    if operation is None or operation.get("security") == []:
        return
    operation["parameters"] = [*operation.get("parameters", ()), _IDEMPOTENCY_KEY]
    for status in (409, 422):
        response = {"$ref": f"#/components/responses/{_NAMES[status]}"}
        operation["responses"].setdefault(str(status), response)


@dataclass
class _Document(OpenAPI):
    def to_schema(self) -> dict[str, Any]:
        document = super().to_schema()
        components = document["components"]
        components["responses"] = _problems()
        for item in document["paths"].values():
            _add_key(item.get("post"))
        components["schemas"] = {**components["schemas"], "Problem": PROBLEM}
        return document


class DescribedConfig(OpenAPIConfig):
    """The configuration of a document whose routes describe themselves."""

    def to_openapi_schema(self) -> OpenAPI:
        """Return the document, without its paths."""
        made = super().to_openapi_schema()
        return _Document(**{name: getattr(made, name) for name in made.__dataclass_fields__})
