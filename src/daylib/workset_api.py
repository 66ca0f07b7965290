"""The API and the portal as an ASGI application; they live in ``daylily.entrypoints.http``."""

from daylily.entrypoints.http.asgi import app, create_app

__all__ = ["app", "create_app"]
