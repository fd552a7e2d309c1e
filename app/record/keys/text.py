"""Keys as text: the JSON of the keys file, and of what the environment gives."""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.record.keys.model import KEY_BYTES, Keys, SigningKey, WrappingKey, written
from app.record.keys.problems import KeysProblem

_VERSION = 1


def text_of(keys: Keys) -> str:
    """The text of the keys file: JSON, secrets in base64."""
    document = {
        "version": _VERSION,
        "log": keys.log,
        "signing": [{"id": key.id, "since": written(key.since), "seed": _encoded(key.seed)} for key in keys.signing],
        "wrapping": [{"id": key.id, "key": _encoded(key.key)} for key in keys.wrapping],
        "lookup": _encoded(keys.lookup),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def keys_of(text: str, where: str) -> Keys:
    """The keys that a text holds. `where` it comes from, for messages.

    Raises:
        KeysProblem: it does not hold keys; names the field.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise KeysProblem(f"{where}: this is no JSON; give the text of a keys file as it is") from None
    return _Reading(where).keys(document)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads a keys document; `where` it stands, for messages."""

    where: str

    def keys(self, document: object) -> Keys:
        if not isinstance(document, dict) or document.get("version") != _VERSION:
            raise KeysProblem(f"{self.where}: version: this is no keys file of version {_VERSION}")
        signing = tuple(map(self._signing, self._items(document, "signing")))
        wrapping = tuple(map(self._wrapping, self._items(document, "wrapping")))
        return self._consistent(Keys(self._text(document, "log"), signing, wrapping, self._secret(document, "lookup")))

    def _signing(self, item: Mapping[str, Any]) -> SigningKey:
        return SigningKey(self._text(item, "id"), self._secret(item, "seed"), self._time(item))

    def _wrapping(self, item: Mapping[str, Any]) -> WrappingKey:
        return WrappingKey(self._text(item, "id"), self._secret(item, "key"))

    def _consistent(self, keys: Keys) -> Keys:
        if not keys.log.isalnum() or not keys.log.isascii():
            raise self._wrong("log", "letters and digits")
        if [verifier.id.hex() for verifier in keys.verifiers] != [key.id for key in keys.signing]:
            raise self._wrong("signing", "keys with the ids of their own bytes and log")
        if len({key.id for key in keys.wrapping}) < len(keys.wrapping):
            raise self._wrong("wrapping", "keys with ids of their own")
        return keys

    def _items(self, document: Mapping[str, Any], name: str) -> list[Any]:
        found = document.get(name)
        if not isinstance(found, list) or not found or not all(isinstance(item, dict) for item in found):
            raise self._wrong(name, "a list with at least one key")
        return found

    def _text(self, document: Mapping[str, Any], name: str) -> str:
        found = document.get(name)
        if not isinstance(found, str) or not found:
            raise self._wrong(name, "a text")
        return found

    def _secret(self, document: Mapping[str, Any], name: str) -> bytes:
        try:
            found = base64.b64decode(self._text(document, name), validate=True)
        except (binascii.Error, ValueError):
            found = b""
        if len(found) != KEY_BYTES:
            raise self._wrong(name, f"{KEY_BYTES} bytes in base64")
        return found

    def _time(self, document: Mapping[str, Any]) -> datetime.datetime:
        try:
            found = datetime.datetime.fromisoformat(self._text(document, "since"))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise self._wrong("since", "a time with its zone, such as 2026-11-22T00:00:00+00:00")
        return found.astimezone(datetime.UTC)

    def _wrong(self, name: str, right: str) -> KeysProblem:
        return KeysProblem(f"{self.where}: {name}: {right} must stand here")


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
