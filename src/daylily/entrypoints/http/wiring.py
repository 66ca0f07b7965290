"""What routes are handed: the use cases, and who is asking."""

from typing import Any, TypeAlias

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.entrypoints.http.streams import Streams

# Not validated: these are ours, and the framework would take each class apart, field by field.
UseCases: TypeAlias = NamedDependency[SkipValidation[App]]
Who: TypeAlias = NamedDependency[SkipValidation[Principal]]

Listening: TypeAlias = NamedDependency[SkipValidation[Streams]]

Call: TypeAlias = Request[Principal, Any, Any]


def use_cases(request: Call) -> App:
    """
    Return the use cases, for routes that are asked so often that it counts.

    The framework takes 9 us of 90 to hand over them and the caller.
    """
    app: App = request.app.state["app"]
    return app


def provide_who(
    request: Call,
    app: UseCases,
) -> Principal:
    """Return the caller whom a guard has let in; the dependency ``who``."""
    return request.user
