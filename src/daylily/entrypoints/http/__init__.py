"""The HTTP API: `daylily.entrypoints.http.app.create_asgi` puts it together."""

from daylily.extras import needs

needs("server", "litestar", "uvicorn", "multipart", "jinja2", "jwt", "prometheus_client")
