"""The client for an event loop; what it can do is what the other one can."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from app.client.answers import Entry
from app.client.asking import Ask
from app.client.attempts import Attempts, Patience
from app.client.batching import HEADERS, PATH, BrokenOff, LineAnswer, Piece, Pieces
from app.client.calls import campaigns as campaign_calls
from app.client.calls import customers, deciding, packaging, persons, reading, service, tmf
from app.client.calls import webhooks as webhook_calls
from app.client.calls.deciding import Asked
from app.client.credentials import AsyncCredential, auth_of
from app.client.problems import NotJsonError
from app.client.sending import DEVELOPMENT_ADDRESS, pause_after_break, refusal, refused_piece, request_of

P = ParamSpec("P")
T = TypeVar("T")


def _sent(call: Callable[P, Ask[T]]) -> Callable[Concatenate[AsyncWanliuClient, P], Coroutine[Any, Any, T]]:
    """A call as a method: made, sent, read."""

    @functools.wraps(call)
    async def method(client: AsyncWanliuClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client.send(call(*args, **kwargs))

    return method


class AsyncWanliuClient:
    """Asks a service, in an event loop. Use it as a context manager, or `close` it.

    ```python
    async with AsyncWanliuClient() as wanliu:
        answer = await wanliu.decide({"channel": "app", "subscriber": {"id": "s-1"}})
    ```
    """

    def __init__(
        self,
        base_url: str = DEVELOPMENT_ADDRESS,
        *,
        key: AsyncCredential | None = None,
        timeout: float = 5.0,
        retries: int | None = None,
        deadline: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            base_url: where the service listens.
            key: as for `WanliuClient`; the function may be one that is awaited.
            timeout: as for `WanliuClient`, and so are the others.
            retries: how often to send a call again at most; left out, as often as the deadline leaves time for.
            deadline: seconds for all attempts of a call.
            transport: carries requests; httpx's own where none is given.
            sleep: waits.
            clock: seconds, of a clock that only goes forward.
        """
        self._http = httpx.AsyncClient(base_url=base_url, auth=auth_of(key), timeout=timeout, transport=transport)
        self._patience, self._sleep, self._clock = Patience(retries, deadline), sleep, clock

    decide = _sent(deciding.decide)
    what_if = _sent(deciding.what_if)
    respond = _sent(deciding.respond)
    recheck = _sent(deciding.recheck)
    decision = _sent(reading.decision)
    explanation = _sent(reading.explanation)
    record = _sent(reading.record)
    replay = _sent(reading.replay)
    proof = _sent(reading.proof)
    search_page = _sent(reading.search_page)
    checkpoint = _sent(reading.checkpoint)
    figures = _sent(reading.figures)
    pairs = _sent(reading.pairs)
    export = _sent(reading.export)
    packs = _sent(packaging.packs)
    pack = _sent(packaging.pack)
    publish = _sent(packaging.publish)
    approve = _sent(packaging.approve)
    reject = _sent(packaging.reject)
    activate = _sent(packaging.activate)
    withdraw = _sent(packaging.withdraw)
    roll_back = _sent(packaging.roll_back)
    subscriber_record = _sent(persons.subscriber_record)
    hold_subscriber = _sent(persons.hold_subscriber)
    release_subscriber = _sent(persons.release_subscriber)
    erase_subscriber = _sent(persons.erase_subscriber)
    my_choices = _sent(customers.my_choices)
    choose = _sent(customers.choose)
    my_decisions = _sent(customers.my_decisions)
    my_decision = _sent(customers.my_decision)
    commission = _sent(campaign_calls.commission)
    campaigns = _sent(campaign_calls.campaigns)
    campaign = _sent(campaign_calls.campaign)
    cancel_campaign = _sent(campaign_calls.cancel_campaign)
    resume_campaign = _sent(campaign_calls.resume_campaign)
    campaign_report = _sent(campaign_calls.campaign_report)
    campaign_report_page = _sent(campaign_calls.campaign_report_page)
    campaign_decisions = _sent(campaign_calls.campaign_decisions)
    campaign_rejects = _sent(campaign_calls.campaign_rejects)
    webhooks = _sent(webhook_calls.webhooks)
    add_webhook = _sent(webhook_calls.add_webhook)
    webhook = _sent(webhook_calls.webhook)
    remove_webhook = _sent(webhook_calls.remove_webhook)
    renew_webhook_secret = _sent(webhook_calls.renew_webhook_secret)
    redrive_webhook = _sent(webhook_calls.redrive_webhook)
    recommend = _sent(tmf.recommend)
    recommendation = _sent(tmf.recommendation)
    recommendations = _sent(tmf.recommendations)
    tell_interaction = _sent(tmf.tell_interaction)
    welcome = _sent(service.welcome)
    ready = _sent(service.ready)

    async def send(self, ask: Ask[T]) -> T:
        """Send a call, again where that is right, and read its answer.

        Raises:
            WanliuError: the service answered with a problem.
            httpx.TransportError: nothing answers.
        """
        attempts = Attempts(self._patience, self._clock, repeatable=ask.repeatable)
        while True:
            try:
                response = await self._http.send(request_of(self._http, ask, attempts.left))
            except httpx.TransportError as error:
                pause = attempts.pause_after_failure(error)
                if pause is None:
                    raise
            else:
                pause = attempts.pause_after(response)
                if pause is None:
                    break
            await self._sleep(pause)
        if not response.is_success:
            raise refusal(response)
        return ask.read(response)

    async def search(self, **filters: Any) -> AsyncIterator[Entry]:
        """Every entry that a search finds, newest first, page after page. What it takes: `search_page`.

        Raises:
            WanliuError: a filter is wrong.
            httpx.TransportError: nothing answers.
        """
        cursor = None
        while True:
            page = await self.send(reading.search_page(**{**filters, "cursor": cursor}))
            for entry in page["entries"]:
                yield entry
            cursor = page["next"]
            if cursor is None:
                return

    async def batch(
        self, requests: Iterable[Asked] | AsyncIterable[Asked], *, idempotency_key: str | None = None
    ) -> AsyncIterator[LineAnswer]:
        """Decide for many, as `WanliuClient.batch` does.

        Args:
            requests: as for `decide`, from an iterable or an asynchronous one; `reference` comes back with the answer.
            idempotency_key: names the batch, so that the same lines sent again later give the same decisions; left out, a new one.

        Raises:
            NotJsonError: a line is no object that JSON can say; those before it were answered.
            WanliuError: the service refused the batch as a whole.
            httpx.TransportError: nothing answers.
        """
        pieces = Pieces(idempotency_key)
        async for request in _each(requests):
            try:
                full = pieces.add(request)
            except NotJsonError:
                async for answer in self._decided(pieces.rest()):
                    yield answer
                raise
            if full is not None:
                async for answer in self._decided(full):
                    yield answer
        async for answer in self._decided(pieces.rest()):
            yield answer

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self.close()

    async def _decided(self, piece: Piece) -> AsyncIterator[LineAnswer]:
        attempts = Attempts(self._patience, self._clock, repeatable=True)
        while not piece.done:
            try:
                async for answer in self._attempt(piece, attempts):
                    yield answer
            except (BrokenOff, httpx.TransportError) as error:
                pause = pause_after_break(error, attempts)
                if pause is None:
                    raise
                await self._sleep(pause)

    async def _attempt(self, piece: Piece, attempts: Attempts) -> AsyncIterator[LineAnswer]:
        async with self._http.stream("POST", PATH, content=piece.content, headers=HEADERS) as response:
            if not response.is_success:
                await response.aread()
                raise refused_piece(response, attempts)
            async for line in response.aiter_lines():
                for answer in piece.answered(line, attempts):
                    yield answer
        piece.check_done()


async def _each(requests: Iterable[Asked] | AsyncIterable[Asked]) -> AsyncIterator[Asked]:
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield request
    else:
        for request in requests:
            yield request
