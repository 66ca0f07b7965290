"""Ids of worksets, completed by the shell from the local store."""

import click
from click.shell_completion import CompletionItem

from daylily.entrypoints.cli.base import Common


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
