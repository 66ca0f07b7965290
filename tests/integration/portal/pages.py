"""
Every page of the portal: what is not in here has not been looked at, and a test says so.

A page that is new needs a line in PAGES, with a way to its address on a site that has something of
everything (see site.py: whatever a page wants to show is put there).
"""

from collections.abc import Callable
from typing import Final

from attrs import frozen
from tests.integration.portal.site import Site


@frozen
class Shown:
    """A page that people look at, as the operator unless it is for everybody."""

    name: str
    """Of its screenshots, too."""
    route: str
    """As it was registered."""
    address: Callable[[Site], str]
    signed_in: bool = True
    reading: bool = True
    """Whether it is for reading, which must be possible where scripts do not run."""
    status: int = 200


def _at(path: str) -> Callable[[Site], str]:
    return lambda _: path


def _asking(state: str, action: str) -> Callable[[Site], str]:
    return lambda site: f"/portal/worksets/{site.of(state)}/{action}"


def _of_complete(more: str) -> Callable[[Site], str]:
    return lambda site: f"/portal/worksets/{site.complete}/{more}"


_WORKSET: Final = "/portal/worksets/{workset_id:str}"

PAGES: Final = (
    Shown("sign-in", "/portal/login", _at("/portal/login"), signed_in=False),
    Shown("forgot", "/portal/login/forgot", _at("/portal/login/forgot"), signed_in=False),
    Shown("dashboard", "/portal", _at("/portal")),
    Shown("worksets", "/portal/worksets", _at("/portal/worksets")),
    Shown("worksets-none", "/portal/worksets", _at("/portal/worksets?name=nothing-of-that-name")),
    Shown("workset-complete", _WORKSET, lambda site: f"/portal/worksets/{site.complete}"),
    Shown("workset-failed", _WORKSET, lambda site: f"/portal/worksets/{site.failed}"),
    Shown("workset-running", _WORKSET, lambda site: f"/portal/worksets/{site.running}"),
    Shown("workset-waiting", _WORKSET, lambda site: f"/portal/worksets/{site.waiting}"),
    *(
        Shown(
            f"confirm-{action}",
            f"{_WORKSET}/{action}",
            _asking(state, action),
            status=status,
        )
        for action, state, status in (
            ("cancel", "waiting", 200),
            ("retry", "failed", 200),
            ("priority", "waiting", 200),
            ("archive", "complete", 200),
            ("restore", "complete", 409),
        )
    ),
    *(
        Shown(f"workset-{name}", f"{_WORKSET}/{route}", _of_complete(more))
        for name, route, more in (
            ("log", "log", "log"),
            ("log-found", "log", "log?q=1+read"),
            ("results", "results", "results"),
            ("report", "view/{key:path}", "view/report.html"),
            ("table", "view/{key:path}", "view/S0/qc.tsv"),
            ("inputs", "inputs", "inputs?check=yes"),
            ("history", "history", "history"),
            ("audit", "audit", "audit"),
        )
    ),
    Shown("submit", "/portal/submit", _at("/portal/submit"), reading=False),
    Shown(
        "submit-picked",
        "/portal/submit",
        _at("/portal/submit?pick=0.fastq&pick=run+7/x_R2.fastq"),
        reading=False,
    ),
    Shown(
        "submitted",
        "/portal/submitted/{workset_id:str}",
        lambda site: f"/portal/submitted/{site.waiting}",
    ),
    Shown("files", "/portal/files", _at("/portal/files")),
    Shown("files-folder", "/portal/files", _at("/portal/files?folder=run+7")),
    Shown("files-none", "/portal/files", _at("/portal/files?folder=none")),
    Shown("file", "/portal/files/look", _at("/portal/files/look?key=0.fastq")),
    Shown("file-delete", "/portal/files/delete", _at("/portal/files/delete?key=0.fastq")),
    Shown("yaml", "/portal/yaml", _at("/portal/yaml"), reading=False),
    Shown("usage", "/portal/usage", _at("/portal/usage?months=6")),
    Shown("account", "/portal/account", _at("/portal/account")),
    Shown("account-audit", "/portal/account/{cid:str}/audit", _at("/portal/account/local/audit")),
    Shown(
        "token-revoke",
        "/portal/account/{cid:str}/tokens/{token_id:str}/revoke",
        lambda site: f"/portal/account/local/tokens/{site.token_id}/revoke",
    ),
    Shown(
        "member-remove",
        "/portal/account/{cid:str}/members/{name:str}/remove",
        _at("/portal/account/local/members/bob@acme.example/remove"),
    ),
    Shown("fleet", "/portal/fleet", _at("/portal/fleet")),
    Shown("ledger", "/portal/fleet/ledger", _at("/portal/fleet/ledger")),
    Shown("ledger-repair", "/portal/fleet/ledger/repair", _at("/portal/fleet/ledger/repair")),
    Shown("customers", "/portal/fleet/customers", _at("/portal/fleet/customers")),
    Shown("customer", "/portal/fleet/customers/{cid:str}", _at("/portal/fleet/customers/local")),
    Shown("notices", "/portal/fleet/notices", _at("/portal/fleet/notices")),
    Shown("problem", _WORKSET, _at("/portal/worksets/ws-nowhere"), status=404),
)

NO_PAGES: Final = {
    "/portal/static/{name:str}": "files that pages load",
    "/portal/login/provider": "the way to another site's page",
    "/portal/login/back": "the way back from there, which leads on",
    f"{_WORKSET}/files/{{key:path}}": "results, as pipelines wrote them",
    f"{_WORKSET}/log.txt": "a log, to take away",
    "/portal/usage.csv": "months and worksets, to take away",
    "/portal/files/download": "a file, to take away",
    "/portal/api/customers/{cid:str}/uploads/{upload_id:str}": "how far an upload is, for scripts",
}
"""What else answers GET, and why nobody looks at it; what is below /portal/live neither."""
