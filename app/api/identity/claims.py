"""From the claims of a checked token to a caller.

| claim | of whom | makes |
| --- | --- | --- |
| `azp`, else `client_id` | everybody | the caller's name; of people who oversee the service (`PERSONS`) with the `sub` behind it |
| the role claim | everybody | the role: one of `ROLES` |
| the grade claim | agents | the grade; of others it is not looked at |
| `sub` | self_service | the subscriber, whom alone they may ask about |
| `sub` | agent | the code of the person in front of the screen |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.api.identity.refusing import NotKnown
from app.engine.problems import nearest
from app.engine.vocabulary.types import Code, Identifier
from app.record.callers import GRADE_PATTERN, NAME_PATTERN, RESERVED, ROLES, Caller

PERSONS = frozenset({"compliance", "privacy_officer", "author", "approver", "operations"})
"""Roles of which the record has to name the person: who looked, who published, who approved."""
_CLIENTS = ("azp", "client_id")
_LONGEST_PERSON = _LONGEST_ROLE = 64
_subscriber = TypeAdapter[str](Identifier)
_code = TypeAdapter[str](Code)

SystemOf = Callable[[str], str]
"""The system that a name belongs to."""


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Which claims say the role and the grade."""

    role: str = "role"
    grade: str = "grade"


def caller_of(claims: Mapping[str, Any], names: ClaimNames, system_of: SystemOf) -> Caller:
    """The caller whom a token names.

    Raises:
        NotKnown: a claim is missing, or is not what it should be; says which.
    """
    role, client, sub = _role(claims, names.role), _client(claims), _sub(claims)
    system = system_of(client)
    if role == "self_service":
        return Caller(client, role, system=system, subject=_read(_subscriber, sub, "sub: is not the id of a subscriber"))
    if role == "agent":
        code = _read(_code, sub, "sub: is not the code of an agent: letters or digits, then also _ . : @ / + -, at most 64")
        return Caller(client, role, _grade(claims, names.grade), system=system, agent=code)
    if role in PERSONS:
        return Caller(f"{client}:{_person(sub)}", role, system=system)
    return Caller(client, role, system=system)


def _role(claims: Mapping[str, Any], name: str) -> str:
    """The one role that a token names: as a text, or alone of its kind in a list."""
    given = claims.get(name)
    found = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    roles = [role for role in found if isinstance(role, str) and role in ROLES]
    if len(roles) != 1:
        why = "has none" if not roles else "has several"
        meant = next((f"{hint} " for role in found if isinstance(role, str) and (hint := nearest(role[:_LONGEST_ROLE], ROLES))), "")
        raise NotKnown(f"{name}: the claim for the role {why} of the roles of this service; {meant}one of {', '.join(ROLES)} is expected")
    return roles[0]


def _client(claims: Mapping[str, Any]) -> str:
    given = next((claims[name] for name in _CLIENTS if name in claims), None)
    if not isinstance(given, str) or not re.fullmatch(NAME_PATTERN, given) or given in RESERVED:
        raise NotKnown("azp or client_id: a name of the client is expected: small letters, digits and _ . -, at most 64")
    return given


def _sub(claims: Mapping[str, Any]) -> str:
    given = claims["sub"]
    if not isinstance(given, str) or not given:
        raise NotKnown("sub: is not a text; who it names is to be written as one, an id of digits too")
    return given


def _grade(claims: Mapping[str, Any], name: str) -> str | None:
    given = claims.get(name)
    if given is None:
        return None
    if not isinstance(given, str) or not re.fullmatch(GRADE_PATTERN, given):
        raise NotKnown(f"{name}: the claim for the grade is not the name of a grade, such as leader")
    return given


def _person(sub: str) -> str:
    if len(sub) > _LONGEST_PERSON or not sub.isascii() or not sub.isprintable() or " " in sub:
        raise NotKnown(f"sub: is not a name for the record: at most {_LONGEST_PERSON} printable ASCII characters without spaces")
    return sub


def _read(kind: TypeAdapter[str], sub: str, wrong: str) -> str:
    try:
        return kind.validate_python(sub)
    except ValidationError:
        raise NotKnown(wrong) from None
