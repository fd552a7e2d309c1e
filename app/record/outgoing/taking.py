"""Lines of events taken on lease, and what became of them put down: one process at a time is at a line, and one that died loses it."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Update, and_, delete, exists, func, select, update
from sqlmodel import col

from app.record.outgoing.model import Subscription
from app.record.outgoing.subscriptions import Kept, webhook
from app.record.store.database import Database, cause, changed, stamp
from app.record.store.problems import DATABASE_ERRORS, StoreUnavailable
from app.record.store.tables import EventLineRow, EventRow, WebhookRow

LEASE = datetime.timedelta(seconds=30)
"""How long who took a line may be at it; then it is anybody's."""
AT_ONCE = 8
"""Events of a line that are taken together."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that waits: its number, its entry, and since when it is tried."""

    number: int
    type: str
    entry_id: str
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Line:
    """The first events of one subscriber for one subscription, taken on `lease`. `last`: when they are told, the line is at its end."""

    kept: Kept
    subject: str
    lease: str
    tries: int
    events: Sequence[Waiting]
    last: int

    @property
    def subscription(self) -> Subscription:
        """Who is to be told."""
        return self.kept.subscription


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a line.

    Attributes:
        line: that was taken.
        delivered: numbers of events that were taken by their receiver.
        dropped: of events of which nothing is left to tell.
        dead: of events that are given up.
        problem: of the last attempt, a code; none where it went well.
        wait: until the line is tried again; none for at once.
        hold: how long nothing at all is sent to this callback; none for not at all.
    """

    line: Line
    delivered: Sequence[int] = ()
    dropped: Sequence[int] = ()
    dead: Sequence[int] = ()
    problem: str | None = None
    wait: datetime.timedelta | None = None
    hold: datetime.timedelta | None = None

    @property
    def ended(self) -> list[int]:
        """Numbers of events that wait no more."""
        return [*self.delivered, *self.dropped]


def due(connection: Connection, now: datetime.datetime) -> list[str]:
    """Ids of the subscriptions that have a line to be taken up, which nothing holds back."""
    waits = exists().where(col(EventLineRow.webhook) == col(WebhookRow.id), col(EventLineRow.due_at) <= stamp(now))
    free = and_(col(WebhookRow.removed_at).is_(None), col(WebhookRow.not_before) <= stamp(now))
    return list(connection.execute(select(col(WebhookRow.id)).where(free, waits)).scalars())


def take(database: Database, rooms: Mapping[str, int], now: datetime.datetime, lease: datetime.timedelta = LEASE) -> list[Line]:
    """Take lines on lease, those that are due longest first.

    Args:
        database: where they are.
        rooms: by subscription, how many lines may be taken.
        now: the time.
        lease: how long they may be kept.
    """
    with database.writing() as connection:
        return [line for webhook_id, room in rooms.items() for line in _lines(connection, webhook_id, room, now, now + lease)]


def put_down(database: Database, runs: Sequence[Run], now: datetime.datetime) -> None:
    """Put down what became of lines: in one transaction, in one order, so that two who do so never wait for each other."""
    with database.writing() as connection:
        for run in sorted(runs, key=lambda run: (run.line.subscription.id, run.line.subject)):
            _end_events(connection, run, now)
            _let_go(connection, run, now)
        for webhook_id, some in _by_webhook(runs):
            _note(connection, webhook_id, some, now)


def _lines(connection: Connection, webhook_id: str, room: int, now: datetime.datetime, until: datetime.datetime) -> Iterator[Line]:
    kept = webhook(connection, webhook_id)
    if kept is None:
        return
    columns = (col(EventLineRow.subject), col(EventLineRow.newest), col(EventLineRow.tries))
    query = select(*columns).where(col(EventLineRow.webhook) == webhook_id, col(EventLineRow.due_at) <= stamp(now))
    for row in connection.execute(query.order_by(col(EventLineRow.due_at)).limit(room).with_for_update(skip_locked=True)).all():
        lease = secrets.token_hex(16)
        connection.execute(_line(webhook_id, row.subject).values(lease=lease, due_at=stamp(until)))
        events = _events(connection, webhook_id, row.subject)
        last = events[-1].number if len(events) == AT_ONCE else max(row.newest, *(event.number for event in events), 0)
        yield Line(kept, row.subject, lease, row.tries, events, last)


def _events(connection: Connection, webhook_id: str, subject: str) -> list[Waiting]:
    columns = (col(EventRow.number), col(EventRow.type), col(EventRow.entry_id), col(EventRow.at))
    waiting = (col(EventRow.webhook) == webhook_id, col(EventRow.subject) == subject, col(EventRow.dead_at).is_(None))
    query = select(*columns).where(*waiting).order_by(col(EventRow.number)).limit(AT_ONCE)
    return [Waiting(row.number, row.type, row.entry_id, datetime.datetime.fromisoformat(row.at)) for row in connection.execute(query)]


def _end_events(connection: Connection, run: Run, now: datetime.datetime) -> None:
    """Events that are told are gone, whoever has the line by now."""
    of = col(EventRow.webhook) == run.line.subscription.id
    if run.ended:
        connection.execute(delete(EventRow).where(of, col(EventRow.number).in_(run.ended)))
    if run.dead:
        connection.execute(update(EventRow).where(of, col(EventRow.number).in_(run.dead)).values(dead_at=stamp(now)))


def _let_go(connection: Connection, run: Run, now: datetime.datetime) -> None:
    """End the line where nothing waits in it, or say when it is tried again; nothing where somebody else has it by now.

    An event that is put into the line at this moment makes its `newest` greater, for which this waits: it is not ended then.
    """
    line, leased = run.line, col(EventLineRow.lease) == run.line.lease
    mine = (col(EventLineRow.webhook) == line.subscription.id, col(EventLineRow.subject) == line.subject, leased)
    if len(run.ended) + len(run.dead) == len(line.events):
        connection.execute(delete(EventLineRow).where(*mine, col(EventLineRow.newest) <= line.last))
    going_on = bool(run.ended or run.dead)
    tries = (0 if going_on else line.tries) + (run.wait is not None)
    next_at = now + (run.wait or datetime.timedelta())
    connection.execute(update(EventLineRow).where(*mine).values(lease=None, due_at=stamp(next_at), tries=tries))


def _note(connection: Connection, webhook_id: str, runs: Sequence[Run], now: datetime.datetime) -> None:
    """Add to what is counted of a subscription, and hold it back where its receiver asked for that."""
    row = WebhookRow.__table__.c  # type: ignore[attr-defined]
    delivered, dropped = sum(len(run.delivered) for run in runs), sum(len(run.dropped) for run in runs)
    problem = next((run.problem for run in runs if run.problem is not None), None)
    hold = max((run.hold for run in runs if run.hold is not None), default=None)
    values: dict[str, object] = {"delivered": row.delivered + delivered, "dropped": row.dropped + dropped}
    values |= {"delivered_at": stamp(now)} if delivered else {}
    values |= {} if problem is None else {"problem": problem, "problem_at": stamp(now)}
    values |= {} if hold is None else {"not_before": stamp(now + hold)}
    if delivered or dropped or problem is not None:
        connection.execute(update(WebhookRow).where(row.id == webhook_id).values(**values))


def _by_webhook(runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.line.subscription.id, []).append(run)
    return sorted(found.items())


def _line(webhook_id: str, subject: str) -> Update:
    return update(EventLineRow).where(col(EventLineRow.webhook) == webhook_id, col(EventLineRow.subject) == subject)


def redrive(database: Database, webhook_id: str, now: datetime.datetime) -> int:
    """Try again, from now on, what was given up for a subscription; how many events. They are told before those that wait behind them.

    A line that somebody is at is taken from them: it may be ending, not knowing of these.

    Raises:
        StoreUnavailable: the store does not take it.
    """
    try:
        with database.writing() as connection:
            return _redriven(database, connection, webhook_id, now)
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"nothing was tried again: {cause(error)}") from error


def _redriven(database: Database, connection: Connection, webhook_id: str, now: datetime.datetime) -> int:
    dead = (col(EventRow.webhook) == webhook_id, col(EventRow.dead_at).is_not(None))
    query = select(col(EventRow.subject), func.max(col(EventRow.number)).label("newest")).where(*dead).group_by(col(EventRow.subject))
    lines = [
        {"webhook": webhook_id, "subject": row.subject, "newest": row.newest, "due_at": stamp(now), "tries": 0}
        for row in connection.execute(query.order_by(col(EventRow.subject)))
    ]
    for line in lines:
        connection.execute(_line(webhook_id, str(line["subject"])).values(due_at=stamp(now), tries=0, lease=None))
    database.insert_missing(connection, EventLineRow, lines)
    return changed(connection.execute(update(EventRow).where(*dead).values(dead_at=None, at=stamp(now))))


def tidy(database: Database) -> None:
    """Throw away what waits for subscriptions that were removed."""
    with database.writing() as connection:
        removed = select(col(WebhookRow.id)).where(col(WebhookRow.removed_at).is_not(None)).scalar_subquery()
        connection.execute(delete(EventRow).where(col(EventRow.webhook).in_(removed)))
        connection.execute(delete(EventLineRow).where(col(EventLineRow.webhook).in_(removed)))
