"""A small client of the HTTP interface.

It is synchronous: scripts, desktops' back ends and batch programs call it as they are; who runs an event loop gives it a thread, or uses
httpx with the document in `openapi/`. Answers are the JSON objects of that document, so that fields a newer service adds arrive too.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from app.engine.vocabulary import DecisionRequest

DEVELOPMENT_ADDRESS = "http://127.0.0.1:8000"
_TOO_BUSY = 503
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field of the request and what is wrong with it."""

    field: str
    message: str


class WanliuError(Exception):
    """The service answered with a problem.

    `kind` is the last part of its type (`invalid-request`), or empty where what answered was not the service; `errors` names fields.
    """

    def __init__(self, status: int, kind: str, title: str, detail: str | None, errors: tuple[FieldError, ...]) -> None:
        self.status, self.kind, self.title, self.detail, self.errors = status, kind, title, detail, errors
        wrong = "".join(f"\n  {error.field}: {error.message}" for error in errors)
        super().__init__(f"{status} {title}" + (f": {detail}" if detail else "") + wrong)


class WanliuClient:
    """Asks a service for decisions. Use it as a context manager, or `close` it.

    ```python
    with WanliuClient() as wanliu:
        answer = wanliu.decide({"channel": "app", "subscriber": {"id": "s-1"}})
    ```
    """

    def __init__(
        self,
        base_url: str = DEVELOPMENT_ADDRESS,
        *,
        key: str | None = None,
        timeout: float = 5.0,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Args:
            base_url: where the service listens.
            key: the API key; none in development mode.
            timeout: seconds to connect, and between two pieces of an answer.
            retries: how often to ask again when the service is too busy to record a decision (503), after the pause it names. All of
                them have one idempotency key, so that nothing is on record twice.
            transport: carries requests; httpx's own where none is given.
            sleep: waits.
        """
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout, transport=transport)
        self._retries, self._sleep = retries, sleep

    def decide(self, request: DecisionRequest | Mapping[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:
        """The next best actions for a subscriber: the answer of `POST /v1/decisions`.

        Args:
            request: what is known and where the person is met.
            idempotency_key: names the request, so that asking again later gives the same decision; left out, a new one.

        Raises:
            WanliuError: the service refused the request, or could not record the decision.
            httpx.TransportError: nothing answers.
        """
        body = request.model_dump(mode="json", exclude_unset=True) if isinstance(request, DecisionRequest) else dict(request)
        return self._ask("POST", "/v1/decisions", body, idempotency_key)

    def respond(self, decision_id: str, action: str, outcome: str, *, idempotency_key: str | None = None, **fields: Any) -> dict[str, Any]:
        """Tell what became of an action: the answer of `POST /v1/decisions/{id}/responses`.

        Args:
            decision_id: of the decision that offered it.
            action: one of those on its list.
            outcome: shown, sent, accepted, refused, ignored, activated, stayed, left.
            idempotency_key: as in `decide`.
            fields: `at`, `reference`, `reason`, `agent`.

        Raises:
            WanliuError: the service did not take it.
            httpx.TransportError: nothing answers.
        """
        body = {"action": action, "outcome": outcome, **fields}
        return self._ask("POST", f"/v1/decisions/{quote(decision_id, safe='')}/responses", body, idempotency_key)

    def decision(self, decision_id: str) -> dict[str, Any]:
        """A decision as it was given.

        Raises:
            WanliuError: there is none (`not-found`), or the id is not one.
            httpx.TransportError: nothing answers.
        """
        return self._ask("GET", f"/v1/decisions/{quote(decision_id, safe='')}")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, idempotency_key: str | None = None) -> dict[str, Any]:
        headers = {} if body is None else {"idempotency-key": idempotency_key or str(uuid.uuid4())}
        for _ in range(self._retries):
            response = self._http.request(method, path, json=body, headers=headers)
            if response.status_code != _TOO_BUSY:
                return _answer(response)
            self._sleep(_pause(response))
        return _answer(self._http.request(method, path, json=body, headers=headers))


def _pause(response: httpx.Response) -> float:
    named = response.headers.get("retry-after", "")
    return min(float(named), _LONGEST_PAUSE) if named.isdecimal() else 1.0


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_success:
        answer: dict[str, Any] = response.json()
        return answer
    if "problem+json" not in response.headers.get("content-type", ""):
        raise WanliuError(response.status_code, "", response.reason_phrase, None, ())
    told = response.json()
    errors = tuple(FieldError(item["field"], item["message"]) for item in told.get("errors", ()))
    raise WanliuError(response.status_code, told["type"].rpartition(":")[2], told["title"], told.get("detail"), errors)
