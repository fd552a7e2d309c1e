"""docs/webhooks.md says what is sent, and its snippet verifies it."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import re
from typing import Any

import pytest

from app.record.outgoing.figures import Standing
from app.record.outgoing.model import TYPES
from app.record.outgoing.pace import Pace
from app.record.outgoing.sending import SECONDS
from app.record.outgoing.signing import signed
from app.record.outgoing.subscriptions import MOST, OVERLAP
from tests.docs.pages import ROOT, quoted, rows, sections

pytestmark = pytest.mark.unit

FILE = ROOT / "docs" / "webhooks.md"
TEXT = FILE.read_text("utf-8")
PAGE = sections(FILE)
SECRET = bytes(range(32))
SHOWN = "whsec_" + base64.b64encode(SECRET).decode()
BODY = '{"id": "e-1", "data": {"title": "承诺"}}'.encode()


def snippet() -> Any:
    """The function of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    found: dict[str, Any] = {}
    exec(compile(code, str(FILE), "exec"), found)  # noqa: S102 - it is our own page
    return found["verified"]


def test_the_snippet_verifies_what_is_sent() -> None:
    """What is signed with the secret verifies; with two secrets, whoever knows either of them."""
    now, verified = datetime.datetime.now(datetime.UTC), snippet()
    assert verified(SHOWN, signed([SECRET], "e-1", now, BODY), BODY)
    assert verified(SHOWN, signed([b"another" * 5, SECRET], "e-1", now, BODY), BODY)


def test_the_snippet_refuses_everything_else() -> None:
    """Another secret, id, time or body; an old event; no signature, or one of another kind."""
    now, verified = datetime.datetime.now(datetime.UTC), snippet()
    headers = dict(signed([SECRET], "e-1", now, BODY))
    assert not verified("whsec_" + base64.b64encode(b"x" * 32).decode(), headers, BODY)
    assert not verified(SHOWN, headers, BODY + b" ")
    old = signed([SECRET], "e-1", now - datetime.timedelta(minutes=6), BODY)
    assert not verified(SHOWN, old, BODY)
    at = int(headers["webhook-timestamp"])
    for changed in (
        {"webhook-id": "e-2"},
        {"webhook-timestamp": str(at + 1)},
        {"webhook-timestamp": "now"},
        {"webhook-signature": ""},
        {"webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,")},
    ):
        assert not verified(SHOWN, headers | changed, BODY)


def test_every_type_is_told() -> None:
    """In the order of the code."""
    assert [row[0].strip("`") for row in rows(PAGE["Events"]) if row[0].startswith("`wanliu.")] == list(TYPES)


def test_every_figure_of_a_standing_is_told() -> None:
    """What `GET /v1/webhooks/{webhook_id}` says of delivering."""
    told = {name for row in rows(PAGE["What went wrong"]) for name in quoted(row[0])}
    assert {field.name for field in dataclasses.fields(Standing)} - {"webhook"} <= told


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    """How long, how many, how often."""
    pace = Pace()
    assert (SECONDS, pace.first, pace.longest, pace.give_up.days, pace.lines, pace.per_webhook) == (10, 2, 3600, 3, 16, 4)
    assert (MOST, OVERLAP.total_seconds(), pace.lease.total_seconds()) == (200, 86_400, 30)
    for words in (
        "Ten seconds",
        "after two seconds, then four",
        "up to an hour",
        "three days old",
        "16 at a time**, 4 for one",
        "200 subscriptions",
        "24 hours",
        "half a minute",
    ):
        assert words in TEXT


def test_the_example_is_an_event() -> None:
    """The event that is shown is JSON, of a type that there is."""
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
    assert blocks[1]["specversion"] == "1.0"
    assert {blocks[1]["type"], *blocks[0]["types"]} <= set(TYPES)
    assert blocks[1]["id"].startswith(blocks[1]["data"]["outcome_id"])
