"""The HTTP door: `create_app` makes the application, `app.api.serve` runs it, `app.api.export` writes its document."""

from app.api.application import create_app

__all__ = ["create_app"]
