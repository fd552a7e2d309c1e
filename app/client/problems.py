"""What a call fails with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field of the request and what is wrong with it."""

    field: str
    message: str


class WanliuError(Exception):
    """The service answered with a problem.

    `kind` is the last part of its type (`invalid-request`), or empty where what answered was not the service; `errors` names fields;
    `retry_after` is the pause in seconds that the answer wishes for, where it does.
    """

    def __init__(
        self, status: int, kind: str, title: str, detail: str | None, errors: tuple[FieldError, ...], retry_after: float | None = None
    ) -> None:
        self.status, self.kind, self.title, self.detail, self.errors = status, kind, title, detail, errors
        self.retry_after = retry_after
        wrong = "".join(f"\n  {error.field}: {error.message}" for error in errors)
        super().__init__(f"{status} {title}" + (f": {detail}" if detail else "") + wrong)


class NotJsonError(ValueError):
    """A request holds what JSON cannot say, a date for example; nothing of it was sent.

    `field` is the dotted field, `body` for the whole, `message` says what is wrong there; `line` is that of a batch, none elsewhere.
    """

    def __init__(self, field: str, message: str, line: int | None = None) -> None:
        self.field, self.message, self.line = field, message, line
        super().__init__(f"{'' if line is None else f'line {line}: '}{field}: {message}")


def problem_in(told: Mapping[str, Any], retry_after: float | None = None) -> WanliuError:
    """The error that a problem's JSON tells of; parts that it has not are left out."""
    listed = told.get("errors") or ()
    errors = tuple(FieldError(str(item.get("field")), str(item.get("message"))) for item in listed if isinstance(item, dict))
    kind = str(told.get("type") or "").rpartition(":")[2]
    return WanliuError(int(told.get("status") or 0), kind, str(told.get("title") or ""), told.get("detail"), errors, retry_after)


def error_of(response: httpx.Response, retry_after: float | None = None) -> WanliuError:
    """The error that an answer is; a page of some proxy is one too."""
    told = _json_of(response) if "json" in response.headers.get("content-type", "") else None
    if isinstance(told, dict) and told.get("@type") == "Error":  # as TM Forum tells it
        told = {"type": told.get("code"), "title": told.get("reason"), "detail": told.get("message")}
    if not isinstance(told, dict) or "type" not in told:
        return WanliuError(response.status_code, "", response.reason_phrase, None, (), retry_after)
    return problem_in({**told, "status": response.status_code}, retry_after)


def _json_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
