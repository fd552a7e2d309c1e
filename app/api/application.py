"""The application, put together."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Depends, FastAPI

from app.api import decisions, health, packs_in_force, reading, records, responses, subscribers
from app.api.callers import admit
from app.api.document import document
from app.api.door import Door
from app.api.errors import handle_errors
from app.api.services import Services, open_services
from app.settings import Settings

OpenServices = Callable[[Settings], contextlib.AbstractAsyncContextManager[Services]]


def create_app(settings: Settings, services: OpenServices = open_services) -> FastAPI:
    """Make the application. The pack is loaded and the store opened when it starts, not here.

    Args:
        settings: how it runs.
        services: opens what the endpoints work with; tests pass their own.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with services(settings) as opened:
            app.state.services = opened
            yield

    everywhere = [Depends(admit)]
    app = FastAPI(title="Wanliu", lifespan=lifespan, dependencies=everywhere, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(decisions.router)
    app.include_router(responses.router)
    app.include_router(health.router)
    app.include_router(packs_in_force.router)
    app.include_router(reading.router)
    app.include_router(records.router)
    app.include_router(subscribers.router)
    app.add_middleware(Door)
    handle_errors(app)
    packs_in_force.handle_errors(app)
    reading.handle_errors(app)
    subscribers.handle_errors(app)
    _remember_document(app)
    return app


def _remember_document(app: FastAPI) -> None:
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(document(app))
        return made

    app.openapi = openapi  # type: ignore[method-assign]
