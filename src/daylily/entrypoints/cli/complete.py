"""What the shell completes: ids of worksets of the local store, and words that options take."""

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from daylily.domain.lifecycle import Priority
from daylily.domain.manifest import REFERENCE_GENOMES
from daylily.entrypoints.cli.base import Common

if TYPE_CHECKING:
    from daylily.config import Settings


class WorksetId(click.ParamType[str]):
    """The id of a workset."""

    name = "id"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the ids of the newest worksets that begin so; none where that takes a network."""
        from daylily.domain.errors import DaylilyError
        from daylily.entrypoints.cli.client import Query

        session = ctx.ensure_object(Common).session
        try:
            if session.settings.url is not None or not (session.settings.home / "state.db").exists():
                return []
            page = session.client.list(Query(limit=200))
        except DaylilyError:
            return []
        return [
            CompletionItem(workset.workset_id, help=workset.state)
            for workset in page.worksets
            if workset.workset_id.startswith(incomplete)
        ]


WORKSET_ID = WorksetId()


def priorities(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the priorities that begin so."""
    return [word for word in Priority if word.startswith(incomplete)]


def genomes(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the reference genomes that begin so, however their letters are written."""
    begun = incomplete.lower()
    return [name for name in REFERENCE_GENOMES if name.lower().startswith(begun)]


def pipelines(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the pipelines that can run here and begin so; none where a server says which there are."""
    settings = _settings(ctx)
    names = () if settings is None or settings.url else settings.registry.runnable
    return [name for name in names if name.startswith(incomplete)]


def known_pipelines(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the pipelines of the settings that begin so, whether they can run here or not."""
    settings = _settings(ctx)
    names = () if settings is None else (each.name for each in settings.pipelines)
    return [name for name in names if name.startswith(incomplete)]


def _settings(ctx: click.Context) -> "Settings | None":
    """Return the settings; None if something is wrong with them, which is not for a shell to tell."""
    from daylily.domain.errors import DaylilyError

    try:
        return ctx.ensure_object(Common).session.settings
    except DaylilyError:
        return None
