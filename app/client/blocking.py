"""The client that waits: for scripts, desktops' back ends and batch programs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
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
from app.client.credentials import Credential, auth_of
from app.client.problems import NotJsonError
from app.client.sending import DEVELOPMENT_ADDRESS, pause_after_break, refusal, refused_piece, request_of

P = ParamSpec("P")
T = TypeVar("T")


def _sent(call: Callable[P, Ask[T]]) -> Callable[Concatenate[WanliuClient, P], T]:
    """A call as a method: made, sent, read."""

    @functools.wraps(call)
    def method(client: WanliuClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client.send(call(*args, **kwargs))

    return method


class WanliuClient:
    """Asks a service. Use it as a context manager, or `close` it.

    ```python
    with WanliuClient() as wanliu:
        answer = wanliu.decide({"channel": "app", "subscriber": {"id": "s-1"}})
    ```
    """

    def __init__(
        self,
        base_url: str = DEVELOPMENT_ADDRESS,
        *,
        key: Credential | None = None,
        timeout: float = 5.0,
        retries: int | None = None,
        deadline: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            base_url: where the service listens.
            key: the API key or token, or a function that gives one, which is asked again when one is refused; none in development mode.
            timeout: seconds to connect, and between two pieces of an answer.
            retries: how often to send a call again at most; left out, as often as the deadline leaves time for. The pauses are those that
                the service names, else growing ones. What might be done twice is only sent again where it has an idempotency key, or
                where it was refused before it was begun with.
            deadline: seconds for all attempts of a call; the service is told, and refuses at once what it cannot do in time.
            transport: carries requests; httpx's own where none is given.
            sleep: waits.
            clock: seconds, of a clock that only goes forward.
        """
        self._http = httpx.Client(base_url=base_url, auth=auth_of(key), timeout=timeout, transport=transport)
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

    def send(self, ask: Ask[T]) -> T:
        """Send a call, again where that is right, and read its answer.

        Raises:
            WanliuError: the service answered with a problem.
            httpx.TransportError: nothing answers.
        """
        attempts = Attempts(self._patience, self._clock, repeatable=ask.repeatable)
        while True:
            try:
                response = self._http.send(request_of(self._http, ask, attempts.left))
            except httpx.TransportError as error:
                pause = attempts.pause_after_failure(error)
                if pause is None:
                    raise
            else:
                pause = attempts.pause_after(response)
                if pause is None:
                    break
            self._sleep(pause)
        if not response.is_success:
            raise refusal(response)
        return ask.read(response)

    def search(self, **filters: Any) -> Iterator[Entry]:
        """Every entry that a search finds, newest first, page after page. What it takes: `search_page`.

        Raises:
            WanliuError: a filter is wrong.
            httpx.TransportError: nothing answers.
        """
        cursor = None
        while True:
            page = self.send(reading.search_page(**{**filters, "cursor": cursor}))
            yield from page["entries"]
            cursor = page["next"]
            if cursor is None:
                return

    def batch(self, requests: Iterable[Asked], *, idempotency_key: str | None = None) -> Iterator[LineAnswer]:
        """Decide for many: an answer for each, in their order, while more are taken from `requests`.

        They go in pieces of at most 200 lines, each line with a key of its own, so that a piece that broke off is sent again without
        anything being decided twice. Memory does not grow with the number of requests.

        Args:
            requests: as for `decide`; `reference` comes back with the answer.
            idempotency_key: names the batch, so that the same lines sent again later give the same decisions; left out, a new one.

        Raises:
            NotJsonError: a line is no object that JSON can say; those before it were answered.
            WanliuError: the service refused the batch as a whole.
            httpx.TransportError: nothing answers.
        """
        pieces = Pieces(idempotency_key)
        for request in requests:
            try:
                full = pieces.add(request)
            except NotJsonError:
                yield from self._decided(pieces.rest())
                raise
            if full is not None:
                yield from self._decided(full)
        yield from self._decided(pieces.rest())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _decided(self, piece: Piece) -> Iterator[LineAnswer]:
        attempts = Attempts(self._patience, self._clock, repeatable=True)
        while not piece.done:
            try:
                yield from self._attempt(piece, attempts)
            except (BrokenOff, httpx.TransportError) as error:
                pause = pause_after_break(error, attempts)
                if pause is None:
                    raise
                self._sleep(pause)

    def _attempt(self, piece: Piece, attempts: Attempts) -> Iterator[LineAnswer]:
        with self._http.stream("POST", PATH, content=piece.content, headers=HEADERS) as response:
            if not response.is_success:
                response.read()
                raise refused_piece(response, attempts)
            for line in response.iter_lines():
                yield from piece.answered(line, attempts)
        piece.check_done()
