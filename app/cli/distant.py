"""`wanliu decide --url`: a running service decides, and what it answers is shown as what is decided here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
from pydantic import TypeAdapter, ValidationError

from app import __version__
from app.api.answers import DecisionAnswer
from app.cli.answering import Answer, Unusable
from app.cli.console import complain, fail
from app.cli.packs import load
from app.cli.showing import Sheet
from app.client import WanliuClient, WanliuError
from app.engine.intake import RequestError, parse_request, take
from app.engine.texts import language_of
from app.settings import CALLERS_KEY

if TYPE_CHECKING:
    from app.cli.usage import Wishes
    from app.engine.pack import Pack

_LONGEST_KEY = 20_000
_WHO_ASKS = "self"
_RETRIES, _DEADLINE = 2, 20.0
_HINTS = {
    "unauthenticated": f"give the API key or the token in {CALLERS_KEY}, or in the file of --key-file",
    "forbidden": "without --record it is asked as what-if, which is for authors, approvers and compliance; others decide with --record",
}
_ANSWER: TypeAdapter[DecisionAnswer] = TypeAdapter(DecisionAnswer)


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service runs, and the file with the key or the token that it is to be asked with."""

    url: str
    key_file: Path | None


def deciding_there(service: Service, wishes: Wishes) -> Callable[[str, bytes], Answer]:
    """What has the service decide about a file, given its name and its content.

    A key that cannot be used, or a pack to show answers with, ends the command before anything is asked.
    """
    key = _key(service.key_file)
    pack = None if wishes.as_json else load(wishes.pack)
    try:
        client = WanliuClient(service.url, key=key, retries=_RETRIES, deadline=_DEADLINE)
    except httpx.InvalidURL:
        fail("--url: is no address; one is like http://127.0.0.1:8000")

    def decided(name: str, body: bytes) -> Answer:
        asked = _wished(body, wishes)
        told = _asked(client, asked, live=wishes.record)
        return Answer(orjson.dumps(told), None if pack is None else _sheet(pack, name, asked, told))

    return decided


def _wished(body: bytes, wishes: Wishes) -> dict[str, Any]:
    """The request, asked as the options wish. What else it says is the service's to judge."""
    try:
        request = orjson.loads(body)
    except ValueError as error:
        raise Unusable(f"body: is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise Unusable("body: expected an object")
    given = {"mode": "live" if wishes.record else "what_if", "channel": wishes.channel, "explain": wishes.explain, "locale": wishes.locale}
    return request | {name: value for name, value in given.items() if value is not None}


def _asked(client: WanliuClient, request: dict[str, Any], *, live: bool) -> dict[str, Any]:
    """What the service answers.

    Raises:
        Unusable: it is away, or refuses; says why.
    """
    try:
        told: Any = client.decide(request) if live else client.what_if(request)
    except WanliuError as error:
        raise Unusable(*_told(error)) from None
    except httpx.TransportError as error:
        raise Unusable(f"the service does not answer: {str(error) or 'not in time'}") from None
    except (httpx.HTTPError, ValueError) as error:
        raise Unusable(f"what answers is not Wanliu: {error}") from None
    if not isinstance(told, dict) or not isinstance(told.get("pack"), dict):
        raise Unusable("what answers is not Wanliu: it says something else than a decision")
    return told


def _told(error: WanliuError) -> list[str]:
    """A problem that the service told of, a line for each field that is wrong."""
    if error.errors:
        return [f"{wrong.field}: {wrong.message}" for wrong in error.errors]
    if not error.kind:
        return [f"what answers is not Wanliu: {error.status} {error.title}".rstrip()]
    lines = [f"the service refuses ({error.status}): {error.detail or error.title}"]
    return lines + ([_HINTS[error.kind]] if error.kind in _HINTS else [])


def _sheet(pack: Pack, name: str, request: dict[str, Any], told: dict[str, Any]) -> Sheet | None:
    """The answer as people read it; none, and why on standard error, where the pack that it was made with is not here."""
    if told["pack"].get("digest") != pack.digest:
        complain(
            f"{name}: as JSON, since the service decides with another pack than `{pack.name} {pack.version}` here; --pack names a folder"
        )
        return None
    try:
        answer = _ANSWER.validate_python(told)
        case = take(pack, parse_request(orjson.dumps(_with_someone(request))), now=answer.decided_at, role="development")
    except (ValidationError, RequestError):
        complain(f"{name}: as JSON, since {_why_not(told)}")
        return None
    title = "  ".join(filter(None, (_who(request), name, answer.decision_id)))
    return Sheet(title, pack, case, answer, language_of(case.locale))


def _why_not(told: Mapping[str, Any]) -> str:
    if told.get("engine") != __version__:
        return f"the service is of another version ({told.get('engine') or 'unknown'}) than this program ({__version__})"
    return "the answer has something that this program cannot show as a table"


def _who(request: Mapping[str, Any]) -> str | None:
    """The subscriber whom the request names; none where a token does."""
    subscriber = request.get("subscriber")
    return subscriber.get("id") if isinstance(subscriber, dict) else None


def _with_someone(request: dict[str, Any]) -> dict[str, Any]:
    """The request as a case is made of it: with an id, where a customer's token says who it is."""
    if _who(request) is not None or not isinstance(request.get("subscriber"), dict):
        return request
    return request | {"subscriber": {**request["subscriber"], "id": _WHO_ASKS}}


def _key(file: Path | None) -> str | None:
    """The key or the token; none is sent where none is given. A file that has none ends the command."""
    if file is None:
        where, found = CALLERS_KEY, os.environ.get(CALLERS_KEY)
    else:
        where, found = "--key-file", _read(file)
    key = (found or "").strip()
    if found is not None and (not key or not key.isascii() or not key.isprintable() or " " in key):
        fail(f"{where}: has no key and no token, which are one word of letters, digits and signs")
    return key or None


def _read(file: Path) -> str:
    try:
        with file.open(encoding="ascii", errors="replace") as opened:
            return opened.read(_LONGEST_KEY)
    except OSError as error:
        fail(f"--key-file: cannot be read: {(error.strerror or 'unknown error').lower()}")
