"""What many subscribers chose for good, asked at once."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select
from sqlmodel import col

from app.engine.vocabulary.choices import Choice
from app.record.campaigns.subjects import portions
from app.record.choices import MADE, standing_by_token
from app.record.ids import first_at
from app.record.keys import Keys
from app.record.privacy import lookups_of
from app.record.store.database import Database, fetched
from app.record.store.tables import ChoiceRow

_CHOSE = f"""
SELECT DISTINCT subject.lookup, subject.token FROM subject JOIN choice ON choice.subject = subject.token AND choice.step = '{MADE}'
WHERE subject.lookup {{wanted}}
"""  # noqa: S608 - the word is ours
_STANDING = f"SELECT DISTINCT subject FROM choice WHERE step = '{MADE}' AND subject {{wanted}}"  # noqa: S608


def choices_of(database: Database, keys: Keys, connection: Connection, subscribers: Sequence[str]) -> Mapping[str, tuple[Choice, ...]]:
    """The choices that stand, oldest first, by the operator's id; nothing of the many who chose nothing.

    Args:
        database: the store.
        keys: of the record.
        connection: a transaction that reads it.
        subscribers: the operator's ids, as many as are decided together.
    """
    by_lookup = dict(zip(lookups_of(keys, subscribers), subscribers, strict=True))
    tokens: dict[str, str] = {}
    for part in portions(list(by_lookup)):
        told, values = database.is_one_of(part)
        tokens |= {token: by_lookup[bytes(lookup)] for lookup, token in fetched(connection, _CHOSE.format(wanted=told), values)}
    standing = standing_of_tokens(connection, list(tokens))
    return {subscriber: standing[token] for token, subscriber in tokens.items() if token in standing}


def standing_among(database: Database, connection: Connection, tokens: Sequence[str]) -> Mapping[str, tuple[Choice, ...]]:
    """The choices that stand of these subjects, by token."""
    chose: list[str] = []
    for part in portions(tokens):
        told, values = database.is_one_of(part)
        chose += [token for (token,) in fetched(connection, _STANDING.format(wanted=told), values)]
    return standing_of_tokens(connection, chose)


def chose_since(connection: Connection, moment: datetime.datetime) -> set[str]:
    """Subjects who chose something, or took it back, since a time: few, however many there are.

    Args:
        connection: a transaction that reads the store.
        moment: the time at which entries about it were made, which may be a while before they were stored.
    """
    return {token for (token,) in connection.execute(select(col(ChoiceRow.subject)).where(col(ChoiceRow.entry_id) >= first_at(moment)))}


def standing_of_tokens(connection: Connection, tokens: Sequence[str]) -> Mapping[str, tuple[Choice, ...]]:
    """As `standing_by_token`, of as many as there are."""
    found: dict[str, tuple[Choice, ...]] = {}
    for part in portions(tokens):
        found |= standing_by_token(connection, part)
    return found
