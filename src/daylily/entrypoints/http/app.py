"""The service as one ASGI application: routes, who may call them, and what becomes of errors."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Litestar, Request, Response, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Contact, License, SecurityScheme, Tag
from litestar.types import Guard

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.entrypoints.http import (
    accounts,
    changes,
    core,
    customers,
    docs_page,
    estimate,
    events,
    files,
    health,
    results,
    stats,
    submissions,
    transfers,
    worksets,
)
from daylily.entrypoints.http.access_log import named, patient
from daylily.entrypoints.http.audit import Audit
from daylily.entrypoints.http.auth import (
    AdminToken,
    Authenticator,
    BearerTokens,
    OpenDoor,
    signed_in,
)
from daylily.entrypoints.http.describing import DescribedConfig
from daylily.entrypoints.http.idempotency import AnsweredError, begin, keep_answer, replayed
from daylily.entrypoints.http.kept import KeptWorksets
from daylily.entrypoints.http.methods import Methods
from daylily.entrypoints.http.prefix import PREFIX, Service
from daylily.entrypoints.http.problems import answer_problem
from daylily.entrypoints.http.rates import (
    OPEN_SHARE,
    Rate,
    so_often_a_caller,
    so_often_an_address,
    so_often_in_vain,
)
from daylily.entrypoints.http.security import add_headers, guarded, only_hosts_of, only_own_pages
from daylily.entrypoints.http.streams import Streams
from daylily.entrypoints.http.threads import enough_threads
from daylily.entrypoints.http.traffic import Traffic
from daylily.entrypoints.http.watching import watching
from daylily.entrypoints.http.wiring import provide_who
from daylily.entrypoints.portal.app import create_portal
from daylily.entrypoints.portal.problem_page import answer_page_problem
from daylily.entrypoints.portal.uploading import FOR_SCRIPTS
from daylily.entrypoints.tries import Tries

LARGEST_BODY: Final = 1 << 20
"""Bytes, of whatever is not a file."""

_DOCUMENT: Final = "/openapi.json"

_CLOSED: Final = (
    submissions.create,
    submissions.validate,
    worksets.list_worksets,
    worksets.look,
    worksets.why,
    worksets.history,
    worksets.logs,
    events.follow,
    *changes.CHANGES,
    *core.CORE,
    *stats.STATS,
    worksets.list_all,
    worksets.look_anywhere,
    results.list_results,
    results.download,
    files.upload,
    files.upload_form,
    files.create_folder,
    files.fetch,
    files.tell,
    files.list_files,
    files.remove,
    customers.create,
    customers.list_customers,
    customers.look,
    customers.change,
    customers.list_members,
    customers.add_member,
    customers.remove_member,
    customers.list_tokens,
    customers.create_token,
    customers.revoke_token,
    customers.audit,
    accounts.me,
    accounts.sign_out,
    transfers.begin_upload,
    transfers.look_at_upload,
    transfers.append_to_upload,
    transfers.complete_upload,
    transfers.abort_upload,
)
_OPEN: Final = (estimate.estimate_cost, transfers.fetch_signed)
_AT_THE_DOOR: Final = (
    accounts.sign_in,
    accounts.new_password,
    accounts.refresh,
    accounts.forgot,
    accounts.reset,
)
"""What those use who have no token yet, but may have one."""

_ABOUT: Final = """\
Submit, watch, cancel and retry genomics worksets.

Errors are problem details (RFC 9457); a 422 lists everything wrong at once, each at its place. Every \
route below `/v1` answers without that prefix, too.

Every `POST` of somebody signed in takes a header `Idempotency-Key` (1 to 255 visible characters, best \
a UUID): the same request under the same key is answered as before, for 48 hours, with \
`Idempotent-Replayed: true`; another one under it is 422.
"""
_TOKENS: Final = (
    "A token of the user pool or another issuer, one that signing in has given, one that was made for a"
    " program, or the operator's."
)
_TAGS: Final = {
    "operators": "What operators and their programs do; others are refused.",
    "worksets": "Samples to be run through a pipeline, and all that has become of them.",
    "results": "What attempts have left.",
    "files": "What customers keep in their own space, for worksets to be made of.",
    "customers": "Customers, their members and tokens, and who did what for them.",
    "accounts": "Signing in and out.",
    "estimate": "What a workset will cost.",
    "health": "Whether the service is there, and well.",
}


def create_asgi(
    app: App, *, admin_token: str | None, host: str | None = None, door: "Guard | None" = None
) -> Litestar:
    """
    Return the API and the portal.

    Args:
        app: The use cases behind them.
        admin_token: Who holds it is an operator. None: there is no such token; where the settings name
            no issuer of tokens either, authentication is off. That is for loopback only: the caller
            sees to it, by where it listens or by a *door*.
        host: Where the server listens; None takes that of the settings.
        door: Whom to let in at all, to whatever is not open to everybody.

    Raises:
        InvalidInputError: The token is blank.
    """
    authenticator = _authenticator(app, admin_token)
    gate = accounts.Gate(Tries(app.world.clock))
    doors = [] if door is None else [door]
    settings = app.settings
    callers, addresses = Rate(settings.rate_limit), Rate(-(-settings.rate_limit // OPEN_SHARE))
    known = [so_often_in_vain(signed_in(authenticator), addresses), so_often_a_caller(callers)]
    opened = [so_often_an_address(addresses)]
    streams, traffic = Streams(app), Traffic()
    portal = create_portal(app, authenticator, needs_token=not isinstance(authenticator, OpenDoor))
    made = Service(
        _api([*doors, *known], doors, opened),
        [
            health.front_door,
            health.live,
            health.ready,
            Router("/", route_handlers=[portal, docs_page.page, docs_page.part], guards=doors),
        ],
        dependencies={
            "app": Provide(lambda: app, sync_to_thread=False),
            "who": Provide(provide_who, sync_to_thread=False),
            "gate": Provide(lambda: gate, sync_to_thread=False),
            "streams": Provide(lambda: streams, sync_to_thread=False),
        },
        on_startup=[enough_threads],
        middleware=[
            named,
            guarded(
                only_hosts_of(settings.host if host is None else host),
                only_own_pages(settings.origins),
            ),
            patient,
        ],
        cors_config=_cors(settings.origins),
        exception_handlers={Exception: _answer},
        before_send=[Audit(app), keep_answer, add_headers, traffic.note],
        state=State(
            {
                "app": app,
                "answer_once": app.once,
                "traffic": traffic,
                "kept": KeptWorksets(app.read),
            }
        ),
        lifespan=[watching(app.watch)],
        request_max_body_size=LARGEST_BODY,
        openapi_config=_openapi(doors),
        # The program that runs us says where logs go; and no variable of the environment may switch
        # on pages that show the inside of errors.
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
    made.before_send.append(Methods.of(made).tell)
    return made


def _authenticator(app: App, admin_token: str | None) -> Authenticator:
    customer = app.settings.customer
    admin = None
    if admin_token is not None:
        operator = Principal(name="admin", customer_id=customer, operator=True)
        admin = AdminToken.of(admin_token, operator)
    elif not app.settings.has_issuer:
        return OpenDoor(Principal(name="anonymous", customer_id=customer, operator=True))
    return BearerTokens((app.tokens, *app.world.verifiers), admin)


def _cors(origins: Sequence[str]) -> CORSConfig | None:
    """Return what pages of other sites may do: nothing, unless the settings name them."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
            *("If-Range", "Last-Event-ID", "Range", "Upload-Offset", "X-Request-Id"),
        ],
        expose_headers=[
            *("Content-Disposition", "Content-Range", "ETag", "Idempotent-Replayed", "Location"),
            *("Retry-After", "Upload-Offset", "X-Next-Cursor", "X-Request-Id"),
        ],
        # Tokens are sent by pages that have them; no cookie of ours is.
        allow_credentials=False,
        max_age=600,
    )


def _api(inside: Sequence[Guard], doors: Sequence[Guard], opened: Sequence[Guard]) -> list[Router]:
    """Return the API's routes: those for who is signed in, who may sign in, and everybody."""
    return [
        Router(PREFIX, route_handlers=_CLOSED, middleware=[guarded(*inside)], before_request=begin),
        Router(PREFIX, route_handlers=_AT_THE_DOOR, middleware=[guarded(*doors, *opened)]),
        Router(PREFIX, route_handlers=_OPEN, middleware=[guarded(*opened)]),
    ]


def _answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Return an error as a page to people in the portal, and as problem details to everybody else."""
    if isinstance(error, AnsweredError):
        return replayed(error.answer)
    path = request.scope["path"]
    if path.startswith("/portal") and not path.startswith(FOR_SCRIPTS):
        return answer_page_problem(request, error)
    return answer_problem(request, error)


def _only_document(request: Request[Any, Any, Any]) -> None:
    """Keep the framework from answering in its own way below the document's address."""
    if request.scope["path"] != _DOCUMENT:
        raise NotFoundException


def _openapi(guards: Sequence[Guard]) -> DescribedConfig:
    token = SecurityScheme(type="http", scheme="bearer", description=_TOKENS)
    return DescribedConfig(
        title="daylily",
        version="1",
        description=_ABOUT,
        contact=Contact(name="Whoever runs this service"),
        license=License(name="MIT", identifier="MIT"),
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        openapi_router=Router(
            _DOCUMENT,
            route_handlers=[],
            guards=guards,
            before_request=_only_document,
            include_in_schema=False,
        ),
        # The framework's pages about it load scripts from elsewhere; ours is docs_page.
        render_plugins=[JsonRenderPlugin(path="/")],
        use_handler_docstrings=True,
        components=Components(security_schemes={"token": token}),
        security=[{"token": []}],
    )
