"""Answers with only those fields that are wanted: `?fields=actions,phase`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from itertools import islice

import orjson

from app.engine.intake import FieldProblem, RequestError
from app.engine.intake.problems import MOST_PROBLEMS
from app.engine.intake.wording import nearest_or_all, quoted


def chosen(wanted: str | None, shape: type) -> tuple[str, ...] | None:
    """The fields of an answer that are wanted; none where all are.

    Args:
        wanted: as sent.
        shape: the dataclass that the answer is.

    Raises:
        RequestError: there is no such field; says which was meant.
    """
    if wanted is None:
        return None
    names = tuple(dict.fromkeys(wanted.split(",")))
    check_fields(names, [field.name for field in dataclasses.fields(shape)])
    return names


def check_fields(names: Iterable[str], known: Sequence[str]) -> None:
    """See that an answer has what `fields` asks for.

    Args:
        names: as sent.
        known: that the answer has.

    Raises:
        RequestError: naming each that it has not, where it is a plain word, and the one that was meant.
    """
    wrong = [
        FieldProblem("fields", f"{quoted(name, 'one of them')} is no field of the answer; {nearest_or_all(name, known)}")
        for name in islice((name for name in names if name not in known), MOST_PROBLEMS)
    ]
    if wrong:
        raise RequestError(wrong)


def only(answer: bytes, names: tuple[str, ...] | None) -> bytes:
    """An answer with these fields; byte for byte as it is where all are wanted.

    Args:
        answer: JSON.
        names: fields, in the order in which they are answered; none, all.
    """
    if names is None:
        return answer
    whole = orjson.loads(answer)
    return orjson.dumps({name: whole.get(name) for name in names})


def only_of_each(answer: bytes, listed: str, names: tuple[str, ...] | None) -> bytes:
    """An answer with these fields of each that is on its list, and all else that it says; byte for byte as it is where all are wanted.

    Args:
        answer: JSON.
        listed: the field that has the list.
        names: as for `only`.
    """
    if names is None:
        return answer
    whole = orjson.loads(answer)
    return orjson.dumps({**whole, listed: [{name: item.get(name) for name in names} for item in whole[listed]]})
