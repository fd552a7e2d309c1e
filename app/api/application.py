"""The application, put together."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import decisions, health, rechecking, responses, webhooks
from app.api.admission.door import Admission, Turnstile
from app.api.admission.limits import limits_of
from app.api.batch import route as batch
from app.api.calls import admit
from app.api.campaigns import commissioning, files, looking
from app.api.campaigns import steps as campaign_steps
from app.api.direct import Direct
from app.api.document import document
from app.api.door import Door
from app.api.errors import handle_errors
from app.api.identity.mode import TellMode
from app.api.my import choices as my_choices
from app.api.my import decisions as my_decisions
from app.api.origins import Origins
from app.api.packs import listing, publishing, steps
from app.api.page import described
from app.api.page import route as page
from app.api.reading import consulting, exporting, persons, searching, whole
from app.api.services import Services, open_services
from app.api.tmf import hub, interactions, recommendations
from app.api.tmf.answering import TmfErrors
from app.api.watching import scraping
from app.api.watching.sampling import sampled
from app.settings import Settings

ROUTES = (
    decisions,
    batch,
    rechecking,
    responses,
    health,
    scraping,
    publishing,
    steps,
    listing,
    searching,
    consulting,
    whole,
    persons,
    exporting,
    commissioning,
    looking,
    campaign_steps,
    files,
    webhooks,
    recommendations,
    hub,
    interactions,
    my_choices,
    my_decisions,
    page,
    described,
)
"""Modules of endpoints, in the order of the API's document."""


class Application(FastAPI):
    """FastAPI's application behind our own layers: what they answer themselves never goes through those that it puts around everything."""

    front: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; all else, such as the beginning and the end, is FastAPI's."""
        if scope["type"] == "http":
            scope["app"] = self
            await self.front(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def make_routes(self) -> None:
        """Make every route now. FastAPI does it when one is first asked for: that request would wait, and others with it."""
        for _ in iter_route_contexts(self.routes):
            pass

    async def behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that came through the layers."""
        await super().__call__(scope, receive, send)


OpenServices = Callable[[Settings], contextlib.AbstractAsyncContextManager[Services]]


def create_app(settings: Settings, services: OpenServices = open_services) -> Application:
    """Make the application. The pack is loaded and the store opened when it starts, not here.

    Args:
        settings: how it runs.
        services: opens what the endpoints work with; tests pass their own.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with services(settings) as opened:
            app.state.services = opened
            async with sampled(opened, app.state.turnstile):
                yield

    everywhere = [Depends(admit)]
    app = Application(title="Wanliu", lifespan=lifespan, dependencies=everywhere, openapi_url=None, redirect_slashes=False)
    app.state.public_url = settings.public_url
    for part in ROUTES:
        app.include_router(part.router)
    app.state.turnstile = Turnstile(limits_of(settings))
    app.front = _front(app, settings)
    handle_errors(app)
    _remember_document(app)
    return app


def _front(app: Application, settings: Settings) -> ASGIApp:
    """The layers, from the innermost on."""
    deciding = (route for route in decisions.router.routes if isinstance(route, APIRoute) and route.endpoint is decisions.decide_one)
    known = TmfErrors(Direct(app.behind, next(deciding)))
    admitted = Admission(Door(known), app.state.turnstile)
    told = TellMode(TmfErrors(admitted))  # once more: what is not admitted never comes to the first
    return Origins(told, settings.cors_origins) if settings.cors_origins else told


def _remember_document(app: FastAPI) -> None:
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(document(app))
        return made

    app.openapi = openapi  # type: ignore[method-assign]
