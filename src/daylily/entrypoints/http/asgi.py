"""
The service for servers that are not ours: ``uvicorn daylib.workset_api:app``, and ``create_app``.

Where the server listens is not ours to choose there. So whoever has configured no authentication
serves this machine alone (docs/adr/0032).
"""

import asyncio
import threading
from collections.abc import Callable
from types import EllipsisType
from typing import Any, Final

from attrs import define, field
from litestar import Litestar
from litestar.types import Guard

from daylily.bootstrap import App, bootstrap
from daylily.bridge import WorksetStateDB, settings_for
from daylily.config import Settings
from daylily.domain.errors import DaylilyError, InvalidInputError
from daylily.entrypoints.http.app import create_asgi
from daylily.entrypoints.http.security import nobody, only_from_here
from daylily.entrypoints.service import SHORTEST_TOKEN, read_admin_token

ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - where we may be listening, for all we know

_NOT_SECURED: Final = (
    "this service has no authentication, and so it answers nobody but programs on its own machine, "
    "without a proxy: set DAYLILY_TOKEN where it runs, and send it as 'Authorization: Bearer <token>'"
)
_HALF_COGNITO: Final = (
    "this service is told half of what it needs to ask Cognito who you are: set both"
    " COGNITO_USER_POOL_ID and COGNITO_APP_CLIENT_ID where it runs"
)


def create_app(
    state_db: WorksetStateDB | EllipsisType | None = ...,
    s3_bucket: str | None = None,
    s3_prefix: str | None = None,
    *,
    app: App | None = None,
) -> Litestar:
    """
    Return the API and the portal as an ASGI application.

    It calls the use cases that the bridge calls: what is submitted here stands in the table and in
    the bucket at once.

    Args:
        state_db: The table. ``...``: whatever the settings say. None: there is none, and all is kept
            in the bucket.
        s3_bucket: The bucket of worksets and files.
        s3_prefix: Where the directories of worksets are in it.
        app: Use cases to call instead of those that all this leads to.

    Raises:
        ConfigError: The settings are wrong; every fault is listed.
        InvalidInputError: The token of the settings is too short to be one.
    """
    made = app or bootstrap(settings_for(state_db, s3_bucket, s3_prefix, None))
    token = configured_token(made.settings)
    asgi = create_asgi(made, admin_token=token, host=ANYWHERE, door=_door(made.settings, token))
    asgi.on_shutdown.append(made.world.close)
    return asgi


def configured_token(settings: Settings) -> str | None:
    """
    Return the token to ask for: the one given, or that of a home which has one; None if there is none.

    Raises:
        InvalidInputError: It is too short to be one, or cannot be read.
    """
    if settings.token is None:
        return read_admin_token(settings.home)
    token = settings.token.reveal()
    if len(token) < SHORTEST_TOKEN:
        raise InvalidInputError.of("token", f"is shorter than {SHORTEST_TOKEN} characters")
    return token


def _door(settings: Settings, token: str | None) -> "Guard | None":
    if token is not None or settings.has_issuer:
        return None
    if settings.cognito_user_pool_id or settings.cognito_app_client_id:
        # Somebody counts on users being told apart: not even this machine may pass for all of them.
        return nobody(_HALF_COGNITO)
    return only_from_here(_NOT_SECURED)


@define(eq=False)
class LazyApp:
    """
    An ASGI application that is made when it is first asked for something.

    Importing its module must neither read settings nor open stores. What is wrong with them is told
    to the server when it starts up, which then does not start.
    """

    _make: Callable[[], Any]
    _app: Any = field(init=False, default=None)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as ASGI has it."""
        if self._app is None:
            try:
                await asyncio.to_thread(self._build)
            except DaylilyError as error:
                if scope["type"] != "lifespan":
                    raise
                await receive()
                text = f"{type(error).__name__}: {error}"
                await send({"type": "lifespan.startup.failed", "message": text})
                return
        await self._app(scope, receive, send)

    def _build(self) -> None:
        with self._mutex:
            if self._app is None:
                self._app = self._make()


app: Final = LazyApp(create_app)
