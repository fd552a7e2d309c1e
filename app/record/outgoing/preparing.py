"""Making an event ready to be sent: read, worded and signed, now."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import NamedTuple

import structlog

from app.record.damage import DamagedEntry
from app.record.keys import KeysProblem
from app.record.outgoing.happened import read_happened
from app.record.outgoing.secrets import unlocked
from app.record.outgoing.signing import signed
from app.record.outgoing.subscriptions import Kept
from app.record.outgoing.taking import Waiting
from app.record.outgoing.wording import Wording
from app.record.privacy import Unreadable
from app.record.store.database import stamp
from app.record.store.problems import StoreError
from app.record.store.record import Record

_log = structlog.get_logger("wanliu.outgoing")


class NotPrepared(Exception):
    """An event cannot be sent for now; the message is a code."""


class Ready(NamedTuple):
    """An event as it is sent."""

    body: bytes
    headers: Mapping[str, str]


def prepared(record: Record, words: Mapping[str, Wording], kept: Kept, event: Waiting, now: datetime.datetime) -> Ready:
    """An event ready to be sent.

    Args:
        record: where it is read.
        words: by format, how events are worded.
        kept: who is told.
        event: that waits.
        now: when it is sent.

    Raises:
        NothingLeft: there is nothing to tell of any more.
        NotPrepared: it cannot be read, or not be signed.
    """
    keys, about = record.keys, kept.subscription
    try:
        happened = record.read_now(lambda connection: read_happened(connection, keys, about, event.number, event.entry_id))
        worded = words[about.wanted.format](happened)
        headers = signed(_secrets(record, kept, now), happened.id, now, worded.body)
    except (DamagedEntry, Unreadable) as error:
        _log.error("event_damaged", webhook=about.id, why=str(error))
        raise NotPrepared("damaged") from error
    except KeysProblem as error:
        raise NotPrepared("key unknown") from error
    except StoreError as error:
        raise NotPrepared("store") from error
    return Ready(worded.body, {"content-type": worded.media_type, **headers})


def _secrets(record: Record, kept: Kept, now: datetime.datetime) -> list[bytes]:
    """The secrets that sign, newest first."""
    row, about = kept.row, kept.subscription
    found = [(row["secret"], row["wrapped_with"])]
    if row["secret_before"] is not None and row["before_until"] > stamp(now):
        found.append((row["secret_before"], row["before_wrapped_with"]))
    return [unlocked(record.keys, bytes(secret), key_id, about.id, about.wanted.callback) for secret, key_id in found]
