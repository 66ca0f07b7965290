"""``daylily completion``."""

import click
from click.shell_completion import get_completion_class

from daylily.entrypoints.cli.base import command


@command(
    epilog="""\b
Examples:
  daylily completion bash > ~/.local/share/bash-completion/completions/daylily
  daylily completion zsh > ~/.zfunc/_daylily        (a folder of your fpath)
  daylily completion fish > ~/.config/fish/completions/daylily.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and workset ids in a shell."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - one of the three that Click has
    root = ctx.find_root().command
    click.echo(kind(root, {}, "daylily", "_DAYLILY_COMPLETE").source())
