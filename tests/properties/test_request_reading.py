"""A body means the same however it is spelt: read as it stands, or looked at more closely."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.intake import RequestError, parse_request
from tests.population import population

pytestmark = pytest.mark.properties

BODIES = list(population(7, 300))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
"""What JSON can say, and NaN, infinities and numbers without end besides."""


def outcome(body: bytes) -> Any:
    """What is read, or the problems that are told."""
    try:
        return parse_request(body).model_dump(mode="json")
    except RequestError as error:
        return error.problems


def spellings(data: Any) -> list[bytes]:
    """The same values as compact UTF-8, with spaces, and with escapes; where JSON in UTF-8 can say them."""
    told = [json.dumps(data, indent=1), json.dumps(data, ensure_ascii=False), json.dumps(data, ensure_ascii=False, separators=(",", ":"))]
    return [text.encode("utf-8", "surrogatepass") for text in told]


@pytest.mark.parametrize("body", BODIES[::10], ids=str)
def test_requests_are_read_alike(body: dict[str, Any]) -> None:
    """Requests of the population: compact, as orjson writes them, and in three other spellings."""
    assert len({str(outcome(one)) for one in [orjson.dumps(body), *spellings(body)]}) == 1


@settings(max_examples=400)
@given(
    number=st.integers(0, len(BODIES) - 1), name=st.sampled_from(("account", "billing", "events", "custom", "id", "nothing")), value=VALUES
)
def test_mistakes_are_told_alike(number: int, name: str, value: Any) -> None:
    """A request with any value in place of a section: read alike, or refused with the same problems, in every spelling."""
    body = {**BODIES[number], "subscriber": {**BODIES[number]["subscriber"], name: value}}
    told = {str(outcome(one)) for one in spellings(body)}
    assert len(told) == 1


@pytest.mark.parametrize(
    "body", [b'{"channel":"app","channel":"app"}', b'{"channel":"app","subscriber":{"id":"s-1","id":"s-2"}}', b'{"a":NaN}']
)
def test_what_readers_differ_about_is_refused(body: bytes) -> None:
    """A key that stands twice, and NaN, are refused where all else is compact, too."""
    with pytest.raises(RequestError, match=r"twice|not a number"):
        parse_request(body)
