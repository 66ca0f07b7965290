"""
Serve the API to the people of a Cognito user pool, over HTTPS if told to.

    export COGNITO_USER_POOL_ID=... COGNITO_APP_CLIENT_ID=...   # daylily auth create-pool prints them
    python examples/run_api_with_auth.py --https --port 8443 --cert cert.pem --key key.pem

Settings come from the environment, as everywhere (S3_BUCKET, WORKSET_TABLE_NAME ...; without them
worksets live in a folder on this machine). DAYLILY_TOKEN, if it is set, is the operator's token.
"""

import argparse
import sys
import threading
from pathlib import Path

from daylily.bootstrap import bootstrap
from daylily.config import Settings, load
from daylily.domain.errors import DaylilyError
from daylily.entrypoints.http.app import create_asgi
from daylily.entrypoints.http.asgi import ANYWHERE, configured_token
from daylily.entrypoints.service import listen, serve_asgi, stopped_by_signals
from daylily.entrypoints.tls import tls_context

_NEEDED = (
    "COGNITO_USER_POOL_ID and COGNITO_APP_CLIENT_ID are needed: 'daylily auth create-pool' prints them"
)


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code of the command."""
    arguments = _arguments()
    if arguments.https and not (arguments.cert and arguments.key):
        print("error: --https needs both --cert and --key", file=sys.stderr)
        return 1
    try:
        settings = load().settings
        if not settings.asks_cognito:
            print(f"error: {_NEEDED}", file=sys.stderr)
            return 1
        serve(arguments, settings)
    except DaylilyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def serve(arguments: argparse.Namespace, settings: Settings) -> None:
    """Serve as the arguments say."""
    tls = tls_context(arguments.cert, arguments.key) if arguments.https else None
    # A token in plain HTTP is for this machine alone, unless somebody says otherwise.
    host = arguments.host or (ANYWHERE if tls else "127.0.0.1")
    listener = listen(host, arguments.port, "https" if tls else "http")
    app = bootstrap(settings)
    token = configured_token(settings)

    def started() -> None:
        pool = settings.cognito_user_pool_id
        print(f"daylily is up at {listener.url}, for the people of {pool}", flush=True)

    try:
        asgi = create_asgi(app, admin_token=token, host=host)
        # The server ends by raising once more the signal that stopped it.
        with stopped_by_signals(threading.Event()):
            serve_asgi(asgi, listener, started=started, access_log=False, tls=tls)
    finally:
        listener.socket.close()
        app.world.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve the API to the people of a user pool.")
    parser.add_argument("--https", action="store_true", help="speak HTTPS; needs --cert and --key")
    parser.add_argument("-p", "--port", type=int, default=8000, help="port to listen on [8000]")
    parser.add_argument("--host", help="address [all of them with --https, else 127.0.0.1]")
    parser.add_argument("--cert", type=Path, help="PEM file of the certificate")
    parser.add_argument("--key", type=Path, help="PEM file of its private key")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
