"""Canonical JSON: the bytes that RFC 8785 wants, and nothing at all for what it has no bytes for."""

import datetime
import json
import math
import uuid
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.record.canonical import NotCanonical, canonical, ordered
from app.record.unread import Ordered

LARGEST = 2**53 - 1
BELOW_ASTRAL, ASTRAL = "\uffff", "\U00010000"

texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.one_of(texts, st.text(st.sampled_from([ASTRAL, "\U0001f600", BELOW_ASTRAL, "\ue000", "a", "\u00e9", '"', "\\"]), max_size=3))
decimals = st.builds(lambda digits, power: float(f"{digits}e{power}"), st.integers(-99_999, 99_999), st.integers(-12, 10))
floats = st.one_of(st.floats(-LARGEST, LARGEST), st.floats(-1e-4, 1e-4), decimals, st.integers(-LARGEST, LARGEST).map(float))
scalars = st.one_of(st.none(), st.booleans(), st.integers(-LARGEST, LARGEST), floats, texts)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5), max_leaves=30)


@settings(max_examples=2_000, deadline=None)
@given(floats)
@example(1e15)
@example(1e-5)
@example(9.999999999999999e-6)
@example(1e-6)
@example(9.999999999999999e-7)
@example(float(LARGEST))
@example(1_000_000_000_000_000.5)
@example(-0.0)
@example(5e-324)
@example(-2.2250738585072014e-308)
@example(-1.25e-6)
def test_numbers_are_written_as_the_standard_writes_them(number: float) -> None:
    """Every float has the bytes that the rfc8785 package gives it, and they read back as the same number."""
    written = canonical(number)
    assert written == rfc8785.dumps(number)
    assert float(written) == number


@settings(max_examples=1_000, deadline=None)
@given(values)
@example({BELOW_ASTRAL: 1, ASTRAL: 2})
@example({"outer": [{BELOW_ASTRAL: {ASTRAL: 1.0, "\ue000": 2.5e-7}, ASTRAL: [{ASTRAL: 1, BELOW_ASTRAL: 2}]}]})
@example({"text": ASTRAL, "b": 1.0, "a": 1e-9})
@example(
    {"\r": "Carriage Return", "1": "One", "\u0080": "Control", "\u00f6": "o", "\u20ac": "Euro", "\U0001f600": "Smile", "\ufb33": "Dalet"}
)
def test_values_have_the_bytes_of_the_standard(value: Any) -> None:
    """Nested values, keys beyond U+FFFF and texts of any letters have the bytes that the rfc8785 package gives them."""
    assert canonical(value) == rfc8785.dumps(value)


@settings(max_examples=1_000, deadline=None)
@given(st.dictionaries(keys, values, max_size=5))
@example({"whole": 12.0})
@example({"small": [1e-5, 9e-6, 1e-7, -2.5e-300], "last": 0.0})
@example({"small": [9e-6]})
@example({"small": {"last": -1.5e-6}})
@example({"list": [-0.0]})
@example({"large": float(LARGEST)})
@example({BELOW_ASTRAL: 1, ASTRAL: 2})
@example({"text": "1.0, 2e5] .0}", "b": 1})
def test_what_came_as_json_has_the_bytes_that_it_would_have_had(value: dict[str, Any]) -> None:
    """A mapping that another process sent has the canonical bytes of the one that it was there, mostly without being read."""
    assert canonical(Ordered(ordered(value))) == canonical(value)


def test_what_came_as_json_and_is_too_large_is_refused() -> None:
    """A number that readers would round is refused on its way, or when it has arrived."""
    for number in (2**53, -(2**60)):
        with pytest.raises(TypeError):
            ordered({"n": number})
    for larger in (2.0**53, 1e300):
        with pytest.raises(NotCanonical):
            canonical(Ordered(ordered({"n": larger})))


def test_what_is_canonical_already_is_put_in_as_it_is() -> None:
    """The text in a fragment stands where its value would, among keys in order."""
    part = {"z": 2.0, "a": ASTRAL}
    assert canonical({"b": orjson.Fragment(canonical(part)), "a": 1, "c": 0.5}) == canonical({"b": part, "a": 1, "c": 0.5})


def test_what_holds_itself_is_refused() -> None:
    """A list that stands within itself has no end, and no text."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NotCanonical):
        canonical(value)


@settings(max_examples=300, deadline=None)
@given(values)
def test_what_was_written_is_written_so_again(value: Any) -> None:
    """Reading canonical bytes, with either reader, and writing them again changes nothing."""
    written = canonical(value)
    assert canonical(orjson.loads(written)) == written
    assert canonical(json.loads(written)) == written


@pytest.mark.parametrize("number", [LARGEST, -LARGEST])
def test_the_largest_whole_numbers_are_written(number: int) -> None:
    """Whole numbers up to 2**53 - 1 are exact in every reader of JSON."""
    assert canonical({"n": number}) == b'{"n":%d}' % number


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**63, 2**64, -(10**40)])
def test_a_whole_number_that_readers_would_round_is_refused(number: int) -> None:
    """A whole number of 2**53 or more is refused, not rounded."""
    with pytest.raises(NotCanonical):
        canonical([number])


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 2.0**53, -(2.0**53), 1e21, 1e308], ids=repr)
def test_what_is_no_number_or_too_large_is_refused(number: float) -> None:
    """NaN, infinity and what readers would round are refused wherever they stand, never written as null."""
    for value in (number, {"a": [1, number]}, ({"a": number},)):
        with pytest.raises(NotCanonical, match="infinite or not a number"):
            canonical(value)


@pytest.mark.parametrize("key", [1, 1.5, True, None, ("a",)], ids=repr)
def test_a_key_that_is_no_text_is_refused(key: object) -> None:
    """Keys are texts; nothing is turned into one."""
    with pytest.raises(NotCanonical, match="key"):
        canonical({"a": {key: 1}})


@pytest.mark.parametrize("value", ["\ud800", "a\udfff", {"\ud800": 1}, {"\udbff": 1, ASTRAL: 2}, ["\udc00\ud800"]], ids=ascii)
def test_half_a_surrogate_pair_is_refused(value: object) -> None:
    """A text that is not Unicode has no bytes, as a value or as a key."""
    with pytest.raises(NotCanonical):
        canonical(value)


OTHERS = [b"bytes", {1}, datetime.date(2026, 11, 22), datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC), uuid.UUID(int=0), object()]


@pytest.mark.parametrize("value", OTHERS, ids=lambda value: type(value).__name__)
def test_other_types_are_refused(value: object) -> None:
    """What JSON does not have is refused, though orjson would write some of it; the message names the type and not the value."""
    with pytest.raises(NotCanonical, match=type(value).__name__):
        canonical({"a": value})


@pytest.mark.parametrize("deep", [300, 100_000])
def test_what_is_nested_too_deep_is_refused(deep: int) -> None:
    """Nesting beyond what the writer takes is an error of the value, not of the program."""
    value: list[Any] = []
    for _ in range(deep):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical(value)


def test_kinds_of_text_and_mapping_are_written_as_what_they_are() -> None:
    """Enumerations of text, tuples and other mappings have the bytes of the plain value, and a float kind its number."""

    class Plain(StrEnum):
        A = "a"

    class Metres(float): ...

    value = {"m": MappingProxyType({"z": 1.0, "a": (Plain.A, "b")}), "n": Metres(2), "o": Metres(1e-7)}
    assert canonical(value) == b'{"m":{"a":["a","b"],"z":1},"n":2,"o":1e-7}'


def test_the_value_is_left_as_it_was() -> None:
    """Whole floats stay floats in what the caller gave."""
    value = {"a": [1.0, {"b": 2.0}]}
    canonical(value)
    assert repr(value) == "{'a': [1.0, {'b': 2.0}]}"
