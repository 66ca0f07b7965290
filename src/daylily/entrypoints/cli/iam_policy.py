"""``daylily iam-policy``: what AWS has to permit, and no more."""

import click

from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.session import Session
from daylily.ports.installation import Role


@command(
    "iam-policy",
    epilog="""\b
Examples:
  daylily iam-policy --role monitor > monitor.json
  aws iam put-role-policy --role-name daylily-monitor --policy-name daylily \\
      --policy-document file://monitor.json

\b
  api      the server, and commands such as submit and list
  monitor  a monitor: worksets alone, and not what customers keep for themselves
  admin    all of that, and what `daylily init` needs

The names are those of the settings: see `daylily config show`. AWS is not asked.
""",
)
@click.option(
    "--role",
    type=click.Choice([str(role) for role in Role]),
    required=True,
    help="What the process is for.",
)
@pass_session
def iam_policy(session: Session, *, role: str) -> None:
    """Print the least that AWS has to permit, as JSON for IAM."""
    from daylily.bootstrap import installation

    session.refuse_url()
    session.print_json(installation(session.settings).policy(Role(role)))
