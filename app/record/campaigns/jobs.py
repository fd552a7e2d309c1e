"""Campaigns that callers commissioned, as jobs in the store: accepted once, claimed by one worker at a time, and how far each is.

A worker has a job for as long as its lease runs, which it renews. One that died is succeeded by another when the lease has run out, or at
once by who comes under the same name.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update
from sqlmodel import col

from app.record.entries import Idempotency
from app.record.store.database import Database, blob, cause, changed, stamp
from app.record.store.problems import DATABASE_ERRORS, KeyReused, StoreUnavailable
from app.record.store.tables import CampaignJobRow

JobState = Literal["waiting", "running", "completed", "stopped", "cancelled", "failed"]
STATES: tuple[JobState, ...] = get_args(JobState)
UNDER_WAY: frozenset[JobState] = frozenset({"waiting", "running"})
MOST_TRIES = 3
"""How often a part is begun whose worker did not live to its end."""


class JobProblem(Exception):
    """The job does not take this step; the message says why."""


@dataclass(frozen=True, slots=True)
class Done:
    """How far a job is.

    Attributes:
        rows: of the input that were read.
        decided: of them.
        rejected: of them.
        consumed: bytes of the input that were read.
        size: bytes that it has; 0 before it was looked at.
        worked: seconds that went into it, in all.
    """

    rows: int = 0
    decided: int = 0
    rejected: int = 0
    consumed: int = 0
    size: int = 0
    worked: float = 0.0


@dataclass(frozen=True, slots=True)
class Commissioned:
    """A campaign that somebody asks for.

    Attributes:
        name: of the campaign.
        caller: who asks, as callers are named.
        role: theirs.
        system: whose campaigns are the caller's own.
        pack: digest of what is to decide.
        asked: what is asked for, as JSON values.
        agent: the code of the person in front of the screen.
    """

    name: str
    caller: str
    role: str
    system: str
    pack: str
    asked: Mapping[str, Any]
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    Attributes:
        id: of the job.
        at: when it was accepted, as the store writes times; so the others.
        commissioned: what was asked for, and by whom.
        state: where it is.
        campaign: id of the campaign on the record, once there is one.
        cancelled_by: who wants it cancelled, or had it cancelled.
        begun_at: when a worker first took it up.
        ended_at: when it ended.
        done: how far it is.
        tries: how often the part that is next was begun, and not ended.
        problem: why it failed: `kind`, a word, and `detail`, a sentence.
        cleared_at: when its files were taken away, but for the report.
    """

    id: str
    at: str
    commissioned: Commissioned
    state: JobState
    campaign: str | None = None
    cancelled_by: str | None = None
    begun_at: str | None = None
    ended_at: str | None = None
    done: Done = field(default_factory=Done)
    tries: int = 0
    problem: Mapping[str, str] | None = None
    cleared_at: str | None = None

    @property
    def as_accepted(self) -> Job:
        """The same, as it was when it was accepted."""
        return Job(self.id, self.at, self.commissioned, "waiting")


@dataclass(frozen=True, slots=True)
class Figures:
    """Jobs by state, and the rows that all of them decided for the record."""

    by_state: Mapping[str, int]
    decided: int


def accept(database: Database, job_id: str, now: datetime.datetime, wanted: Commissioned, key: Idempotency | None = None) -> Job:
    """Accept a job: it is durable when this returns. Where the caller's key was used before, the job of that time, as it was then.

    Args:
        database: the store.
        job_id: for the job, where it is new.
        now: the time.
        wanted: what is asked for.
        key: the caller's name for the request, where it has one.

    Raises:
        KeyReused: the key was used for another request.
        StoreUnavailable: the store does not take it.
    """
    row = {
        "id": job_id,
        "at": stamp(now),
        "name": wanted.name,
        "state": "waiting",
        "caller": wanted.caller,
        "role": wanted.role,
        "system": wanted.system,
        "agent": wanted.agent,
        "pack": wanted.pack,
        "asked": orjson.dumps(wanted.asked),
        "asked_by": key and key.caller,
        "asked_key": key and key.key,
        "asked_hash": key and key.body_hash,
    }
    with _changing(database) as connection:
        if key is not None:
            _forget(connection, key, now)
        database.insert_missing(connection, CampaignJobRow, [row])
        found = read_job(connection, job_id) or _of_key(connection, key)
    if found is None:
        raise StoreUnavailable("the job is not there although it was stored")
    return found.as_accepted


def asked_before(connection: Connection, key: Idempotency, now: datetime.datetime) -> Job | None:
    """The job that the key was first used for, as it was accepted; none where the key is new.

    Raises:
        KeyReused: it was used for another request.
    """
    found = _of_key(connection, key, stamp(now - _kept(key, now)))
    return None if found is None else found.as_accepted


def read_job(connection: Connection, job_id: str) -> Job | None:
    """The job with this id."""
    row = connection.execute(select(CampaignJobRow.__table__).where(col(CampaignJobRow.id) == job_id)).first()  # type: ignore[attr-defined]
    return None if row is None else _job(row)


def read_jobs(
    connection: Connection,
    *,
    states: Sequence[str] = (),
    name: str | None = None,
    system: str | None = None,
    before: str | None = None,
    most: int = 50,
) -> list[Job]:
    """Jobs, newest first.

    Args:
        connection: a reading transaction.
        states: only in one of these; left out, in any.
        name: only of the campaign called so.
        system: only of callers of this system.
        before: only those older than the job with this id.
        most: how many.
    """
    query = select(CampaignJobRow.__table__).order_by(col(CampaignJobRow.id).desc()).limit(most)  # type: ignore[attr-defined]
    if states:
        query = query.where(col(CampaignJobRow.state).in_(list(states)))
    for column, value in ((CampaignJobRow.name, name), (CampaignJobRow.system, system)):
        if value is not None:
            query = query.where(col(column) == value)
    if before is not None:
        query = query.where(col(CampaignJobRow.id) < before)
    return [_job(row) for row in connection.execute(query)]


def under_way(connection: Connection) -> int:
    """How many jobs wait or run."""
    counted = select(func.count()).select_from(CampaignJobRow).where(col(CampaignJobRow.state).in_(UNDER_WAY))
    return int(connection.execute(counted).scalar_one())


def figures(connection: Connection) -> Figures:
    """How all jobs stand. An index has all of it."""
    recorded = func.coalesce(func.sum(col(CampaignJobRow.decided)).filter(col(CampaignJobRow.campaign).is_not(None)), 0)
    counted = connection.execute(select(col(CampaignJobRow.state), func.count(), recorded).group_by(col(CampaignJobRow.state))).all()
    by_state = {state: int(number) for state, number, _ in counted}
    return Figures({state: by_state.get(state, 0) for state in STATES}, sum(int(decided) for *_, decided in counted))


def is_work(connection: Connection, worker: str, now: datetime.datetime) -> bool:
    """Is there a job that this worker could take up."""
    return connection.execute(select(col(CampaignJobRow.id)).where(_free(worker, now)).limit(1)).first() is not None


def claim(database: Database, worker: str, now: datetime.datetime, until: datetime.datetime, having: Sequence[str] = ()) -> Job | None:
    """Take up the oldest job that nobody is at work on; none where there is none.

    Args:
        database: the store.
        worker: who takes it: what it had before it died it has again.
        now: the time.
        until: how long it is the worker's, unless that renews it.
        having: ids of the jobs that it has.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    with _changing(database) as connection:
        free = and_(_free(worker, now), col(CampaignJobRow.id).not_in(list(having)))
        query = select(col(CampaignJobRow.id)).where(free).order_by(col(CampaignJobRow.tries), col(CampaignJobRow.id)).limit(1)
        job_id = connection.execute(query).scalar()
        if job_id is None:
            return None
        begun = func.coalesce(col(CampaignJobRow.begun_at), stamp(now))
        taken = _one(job_id, free).values(state="running", worker=worker, lease=stamp(until), begun_at=begun)
        return read_job(connection, job_id) if changed(connection.execute(taken)) else None


def renew(database: Database, worker: str, until: datetime.datetime) -> None:
    """Keep all jobs that the worker has.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    held = and_(col(CampaignJobRow.worker) == worker, col(CampaignJobRow.state) == "running")
    with _changing(database) as connection:
        connection.execute(update(CampaignJobRow).where(held).values(lease=stamp(until)))


def note(database: Database, worker: str, job_id: str, **told: Any) -> Job | None:
    """Note how a job is getting on: `tries`, `campaign`, `problem`, or `done`. The job as it stands then; none where another worker has it.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    with _changing(database) as connection:
        kept = changed(connection.execute(_held(worker, job_id).values(**_values(told))))
        return read_job(connection, job_id) if kept else None


def release(database: Database, worker: str, job_id: str) -> None:
    """Let others go on with a job.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    with _changing(database) as connection:
        connection.execute(_held(worker, job_id).values(state="waiting", worker=None, lease=""))


def end(
    database: Database, worker: str, job_id: str, now: datetime.datetime, state: JobState, problem: Mapping[str, str] | None = None
) -> None:
    """End a job.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    ended = {"state": state, "worker": None, "lease": "", "tries": 0, "ended_at": stamp(now), **_values({"problem": problem})}
    with _changing(database) as connection:
        connection.execute(_held(worker, job_id).values(**ended))


def cancel(database: Database, job_id: str, now: datetime.datetime, by: str) -> Job | None:
    """Have a job cancelled: at once where nobody began it, else by its worker after the part that it is at. None where there is none such.

    Raises:
        JobProblem: it ended already.
        StoreUnavailable: the store does not take it.
    """
    with _changing(database) as connection:
        found = read_job(connection, job_id)
        if found is None or (found.cancelled_by is not None and found.state in (*UNDER_WAY, "cancelled")):
            return found
        if found.state not in (*UNDER_WAY, "failed"):
            raise JobProblem(f"the campaign is {found.state}; only one that is waiting, running or failed can be cancelled")
        at_once = found.state != "running" and found.campaign is None
        told: dict[str, Any] = {"cancelled_by": by, "state": found.state if found.state == "running" else "waiting"}
        if at_once:
            told |= {"state": "cancelled", "ended_at": stamp(now)}
        connection.execute(_one(job_id, col(CampaignJobRow.state) == found.state).values(**told))
        return read_job(connection, job_id)


def resume(database: Database, job_id: str) -> Job | None:
    """Have a job gone on with that failed, or that was cancelled before it began. None where there is no such job.

    Raises:
        JobProblem: it is under way, or came to an end.
        StoreUnavailable: the store does not take it.
    """
    with _changing(database) as connection:
        found = read_job(connection, job_id)
        if found is None:
            return None
        if found.state != "failed" and not (found.state == "cancelled" and found.campaign is None):
            why = "it was closed on the record" if found.state == "cancelled" else "only one that failed can be gone on with"
            raise JobProblem(f"the campaign is {found.state}, and {why}; commission it anew, or leave it")
        anew = {"state": "waiting", "cancelled_by": None, "ended_at": None, "problem": None, "tries": 0, "cleared_at": None}
        connection.execute(_one(job_id, col(CampaignJobRow.state) == found.state).values(**anew))
        return read_job(connection, job_id)


def outdated(connection: Connection, before: datetime.datetime, most: int) -> list[str]:
    """Ids of jobs that ended before a time and whose files are still there, so many of them, those that ended first before others."""
    query = select(col(CampaignJobRow.id)).where(col(CampaignJobRow.cleared_at).is_(None), col(CampaignJobRow.ended_at) < stamp(before))
    return list(connection.execute(query.order_by(col(CampaignJobRow.ended_at)).limit(most)).scalars())


def clear(database: Database, job_id: str, now: datetime.datetime) -> None:
    """Note that the files of a job were taken away.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    with _changing(database) as connection:
        connection.execute(_one(job_id, col(CampaignJobRow.ended_at).is_not(None)).values(cleared_at=stamp(now)))


@contextlib.contextmanager
def _changing(database: Database) -> Iterator[Connection]:
    try:
        with database.writing() as connection:
            yield connection
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(cause(error)) from error


def _free(worker: str, now: datetime.datetime) -> ColumnElement[bool]:
    """Jobs that nobody is at work on."""
    left = or_(col(CampaignJobRow.lease) < stamp(now), col(CampaignJobRow.worker) == worker)
    return or_(col(CampaignJobRow.state) == "waiting", and_(col(CampaignJobRow.state) == "running", left))


def _held(worker: str, job_id: str) -> Any:
    return _one(job_id, col(CampaignJobRow.worker) == worker)


def _one(job_id: str, where: ColumnElement[bool]) -> Any:
    return update(CampaignJobRow).where(col(CampaignJobRow.id) == job_id, where)


def _values(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is noted, by column."""
    found = dict(told)
    done: Done | None = found.pop("done", None)
    if done is not None:
        found |= {name: getattr(done, name) for name in ("rows", "decided", "rejected", "consumed", "size")}
        found["worked_ms"] = round(done.worked * 1000)
    if found.get("problem") is not None:
        found["problem"] = orjson.dumps(found["problem"]).decode()
    return found


def _forget(connection: Connection, key: Idempotency, now: datetime.datetime) -> None:
    """Let a key be used anew that was used long ago."""
    old = and_(col(CampaignJobRow.asked_by) == key.caller, col(CampaignJobRow.asked_key) == key.key)
    kept = stamp(now - _kept(key, now))
    connection.execute(update(CampaignJobRow).where(old, col(CampaignJobRow.at) <= kept).values(asked_key=None))


def _kept(key: Idempotency, now: datetime.datetime) -> datetime.timedelta:
    """How long keys are remembered."""
    return key.expires_at - now


def _of_key(connection: Connection, key: Idempotency | None, since: str = "") -> Job | None:
    """The job that a key was used for after a time."""
    if key is None:
        return None
    table = CampaignJobRow.__table__  # type: ignore[attr-defined]
    query = select(table).where(col(CampaignJobRow.asked_by) == key.caller, col(CampaignJobRow.asked_key) == key.key)
    row = connection.execute(query.where(col(CampaignJobRow.at) > since)).first()
    if row is None:
        return None
    if bytes(row.asked_hash) != key.body_hash:
        raise KeyReused("the idempotency key was used before, for another request; use a new key for a new request")
    return _job(row)


def _job(row: Row[Any]) -> Job:
    wanted = Commissioned(row.name, row.caller, row.role, row.system, row.pack, orjson.loads(blob(row.asked)), row.agent)
    done = Done(row.rows, row.decided, row.rejected, row.consumed, row.size, row.worked_ms / 1000)
    problem = None if row.problem is None else orjson.loads(row.problem)
    times = (row.begun_at, row.ended_at)
    return Job(row.id, row.at, wanted, row.state, row.campaign, row.cancelled_by, *times, done, row.tries, problem, row.cleared_at)
