"""One call of the command line: its settings, what they open, and where it prints."""

import getpass
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import define, field

from daylily.config import Loaded, Settings, load
from daylily.domain.errors import InvalidInputError, NotFoundError
from daylily.domain.spelling import meant
from daylily.entrypoints.cli.base import Common
from daylily.entrypoints.cli.failures import plain
from daylily.ports.paging import every

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from daylily.bootstrap import App, World
    from daylily.entrypoints.cli.client import Client

_WIDE: Final = 500
_LOOPBACK: Final = ("http://127.0.0.1", "http://localhost", "http://[::1]")


@define
class Session:
    """
    What commands work with. Everything is opened when it is first asked for.

    Args:
        world: Adapters to use instead of those that the settings choose.
    """

    world: "World | None" = None
    as_json: bool = field(init=False, default=False)
    flags: dict[str, Any] = field(init=False, factory=dict)
    config_path: Path | None = field(init=False, default=None)
    token_file: Path | None = field(init=False, default=None)
    _loaded: Loaded | None = field(init=False, default=None)
    _app: "App | None" = field(init=False, default=None)
    _client: "Client | None" = field(init=False, default=None)

    def take(self, common: Common) -> None:
        """Take over what the shared options said."""
        self.flags, self.as_json = dict(common.flags), common.json
        self.config_path, self.token_file = common.config, common.token_file
        # Whoever logs without having been told to (the ledger, say) speaks up only when it matters.
        level = self.flags.get("log_level") or "WARNING"
        logging.basicConfig(level=level, format="%(levelname)s: %(message)s", stream=sys.stderr)
        # A sign-in that ran out is an error that says what to do, and needs no traceback before it.
        for told_already in ("botocore.credentials", "botocore.tokens"):
            logging.getLogger(told_already).setLevel(logging.CRITICAL)

    # Settings

    @property
    def loaded(self) -> Loaded:
        """
        The settings, and where each comes from.

        Raises:
            ConfigError: They are wrong; every fault is listed.
        """
        if self._loaded is None:
            self._loaded = load(self.flags, path=self.config_path)
        return self._loaded

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded.settings

    def refuse_url(self) -> None:
        """
        Refuse to go on where a server is named, for commands that work on the local store alone.

        Raises:
            InvalidInputError: One is.
        """
        if self.settings.url is not None:
            origin = self.loaded.origins["url"]
            # Below the program's own name, which is whatever it was called by.
            _, _, command = click.get_current_context().command_path.partition(" ")
            raise InvalidInputError.of(
                origin, f"daylily {command} works on a store of its own, not on a server: leave it out"
            )

    @property
    def user(self) -> str:
        """Who acts, in the history of worksets."""
        try:
            return getpass.getuser()
        except (OSError, KeyError):
            return f"uid-{os.getuid()}"

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to be asked."""
        return not self.as_json and sys.stdin.isatty()

    def token(self) -> str | None:
        """
        Return the token for the server: given, in a file, or for one on this machine the home's own.

        Raises:
            InvalidInputError: The file that was named cannot be read.
        """
        if self.token_file is not None:
            try:
                return self.token_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise InvalidInputError.of("--token-file", f"cannot be read: {error}") from error
        if self.settings.token is not None:
            return self.settings.token.reveal()
        url = self.settings.url or ""
        if any(url == host or url.startswith((f"{host}:", f"{host}/")) for host in _LOOPBACK):
            from daylily.entrypoints.service import read_admin_token

            return read_admin_token(self.settings.home)
        return None

    # What they open

    @property
    def app(self) -> "App":
        """
        The use cases on the local store, whatever ``--url`` says.

        Raises:
            UnavailableError: The store cannot be opened.
            InvalidInputError: Nobody knows the customer that an option names.
        """
        if self._app is None:
            from daylily.bootstrap import bootstrap, connect

            world = self.world or connect(self.settings)
            try:
                self._check_customer(world)
                self._app = bootstrap(self.settings, world=world)
            except BaseException:
                if self.world is None:
                    world.close()
                raise
        return self._app

    def _check_customer(self, world: "World") -> None:
        # A slip of the fingers must not make a customer, whose worksets nobody would find again. The
        # settings are no such place: who they name is taken on.
        asked, usual = self.settings.customer, self._usual_customers
        if asked in usual:
            return
        try:
            world.customers.get(asked)
        except NotFoundError:
            listed = every(lambda cursor: world.customers.list(cursor=cursor))
            guess = meant(asked, [*usual, *(each.customer_id for each in listed)])
            hint = f"did you mean {guess!r}? " if guess else ""
            new = f"'daylily customer add {asked}' takes on a new one"
            raise InvalidInputError.of(
                "--customer", f"there is no customer {asked!r}; {hint}{new}"
            ) from None

    @property
    def _usual_customers(self) -> frozenset[str]:
        """The default, and the one that the settings name."""
        others = {name: value for name, value in self.flags.items() if name != "customer"}
        return frozenset({Settings().customer, load(others, path=self.config_path).settings.customer})

    @property
    def client(self) -> "Client":
        """The store or the server that worksets are read from and changed in."""
        if self._client is None:
            if self.settings.url is not None:
                from daylily.entrypoints.cli.remote import RemoteClient

                self._client = RemoteClient.to(self.settings.url, self.token(), self.settings.customer)
            else:
                from daylily.entrypoints.cli.client import LocalClient

                if self.settings.customer not in self._usual_customers:
                    _ = self.app  # so that nothing is copied, or found sound, for whom nobody knows
                self._client = LocalClient(lambda: self.app, self.settings, self.user)
        return self._client

    def close(self) -> None:
        """Close what was opened."""
        if self._client is not None:
            self._client.close()
        if self._app is not None and self.world is None:
            self._app.world.close()

    # Printing

    def console(self, *, stderr: bool = False) -> "Console":
        """Return a console that fits the terminal; colours only where there is one."""
        from rich.console import Console

        stream = sys.stderr if stderr else sys.stdout
        # Where there is no terminal, nothing is cut or folded at a width that no one sees.
        return Console(file=stream, highlight=False, width=None if stream.isatty() else _WIDE)

    def print(self, shown: "RenderableType") -> None:
        """Print a table, or whatever else rich can show."""
        console = self.console()
        if console.is_terminal:
            console.print(shown)
            return
        with console.capture() as captured:
            console.print(shown)
        for line in captured.get().splitlines():
            click.echo(line.rstrip())

    def print_json(self, content: object) -> None:
        """Print a view, or plain values, as JSON."""
        from daylily.entrypoints.views import to_json

        click.echo(json.dumps(to_json(content), indent=2, ensure_ascii=False))

    def say(self, text: str) -> None:
        """Print a line for people, to standard error; programs that read JSON are not bothered."""
        if not self.as_json:
            click.echo(plain(text), err=True)
