"""What went wrong, as a page."""

from typing import Any

from litestar import Request, Response

from daylily.domain.errors import UnauthenticatedError
from daylily.entrypoints.http.problems import note, problem_of
from daylily.entrypoints.http.security import request_id
from daylily.entrypoints.portal import login
from daylily.entrypoints.portal.context import shown


def answer_page_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Return an error as a page; whoever is not signed in is sent to do that."""
    if isinstance(error, UnauthenticatedError) and "/live/" not in request.scope["path"]:
        return login.to_login(request)
    problem = problem_of(error)
    note(request, error, problem)
    answer = shown(
        request,
        "problem.html",
        status_code=problem.kind.status,
        problem=problem,
        request_id=request_id(request.scope),
    )
    for name, value in problem.kind.headers.items():
        if name != "WWW-Authenticate":
            answer.set_header(name, value)
    return answer
