"""What `POST /v1/decisions` is measured against: a FastAPI application that checks the same body, returns the same model and does nothing
else, and a bare ASGI application that sends the body back.

python -m uvicorn bench.plain:create_fastapi --factory
"""

from __future__ import annotations

import datetime
import itertools
import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app import __version__
from app.api.answers import DecisionAnswer, RecordRef, reference
from app.engine.answer import Explanation
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.intake import parse_request, take
from app.engine.pack import load_pack
from app.engine.view import sees_evidence, view
from app.engine.vocabulary import DecisionRequest

ROOT = Path(__file__).parents[1]
BODIES = "WANLIU_BENCH_BODIES"
"""Names the file of the bodies that are sent, one a line: their real answers, made beforehand, are what is returned."""
ROLE = "agent"
_ANSWERS = 400
_EXPLAINED = tuple(field.name for field in fields(Explanation))


def create_fastapi() -> FastAPI:
    """The same body checked, the same model returned."""
    app, answers = FastAPI(), itertools.cycle(list(_answers()))

    @app.post("/v1/decisions")
    async def decide_one(_: DecisionRequest) -> DecisionAnswer:
        return next(answers)

    return app


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """The same bytes sent back."""
    if scope["type"] != "http":
        return
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(chunks)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _answers() -> Iterator[DecisionAnswer]:
    """What an agent is answered, so that as much is written as the service writes."""
    pack, now = load_pack(ROOT), datetime.datetime.now(datetime.UTC)
    for line in itertools.islice(Path(os.environ[BODIES]).read_bytes().splitlines(), _ANSWERS):
        asked = parse_request(line)
        case = take(pack, asked, now=now, role=ROLE)
        whole = explain(pack, case, decide(pack, case), asked.explain, evidence=sees_evidence(ROLE))
        seen = view(whole, pack.restricted, ROLE, None)
        told = {name: getattr(seen, name) for name in _EXPLAINED}
        yield DecisionAnswer(
            decision_id="019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b",
            decided_at=now,
            pack=reference(pack),
            engine=__version__,
            record=RecordRef("durable"),
            **told,
        )
