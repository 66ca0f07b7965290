"""The HTTP API: `daylily.entrypoints.http.app.create_asgi` puts it together."""
