"""`wanliu record verify` and `wanliu record export`."""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.console import cannot_read, complain, err, fail, out, write_json
from app.cli.packs import settings
from app.cli.store import the_record, who

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.record.keys import Keys
    from app.record.log.notes import Checkpoint
    from app.record.verifying import Verdict

_SHOWN = 20


def verify(since: str | None, decision: str | None, witness: str | None, *, opening: bool, as_json: bool) -> None:
    """Verify the record and say what came of it; the exit code is 1 when anything is wrong."""
    from app.record.verifying import verify_entry, verify_log
    from app.record.verifying.single import NoSuchEntry

    with the_record() as record:
        kept = _of_witness(record.keys, witness) if witness else []
        with _progress(shown=not as_json and decision is None) as progress:
            if decision is not None:
                try:
                    verdict = record.read_now(lambda c: verify_entry(c, record.keys, decision, kept=kept, opening=opening))
                except NoSuchEntry as error:
                    fail(error)
            else:
                verdict = record.read_now(lambda c: _verify_from(c, record.keys, since, kept, opening, progress, verify_log))
    if as_json:
        write_json(verdict.as_json())
    else:
        _tell(verdict, decision)
    if not verdict.genuine:
        raise SystemExit(1)


def export(
    target: Path,
    since: str | None,
    until: str | None,
    decisions: Sequence[str],
    opened: Sequence[str],
    by: str | None,
    *,
    parquet: bool,
) -> None:
    """Write a bundle; the entry that says so is durable before."""
    from app.record.export.bundling import BundleProblem
    from app.record.export.exporting import NothingSealed
    from app.record.export.sharing import Asked, share
    from app.record.log.sealer import Sealer
    from app.record.packs.library import DamagedPack
    from app.record.persons import NobodyKnown

    if decisions and (since or until):
        fail("--decision names what to export; leave --from and --to out")
    asked = Asked(
        since=_stamp("--from", since), until=_stamp("--to", until), decisions=tuple(decisions), opened=tuple(opened), parquet=parquet
    )
    if asked.since and asked.until and asked.since >= asked.until:
        fail("--to: expected a time after --from")
    with the_record() as record:
        Sealer(record.database, record.keys, record.clock).seal()
        try:
            made = share(record, asked, target, caller=who(by), role="compliance")
        except (BundleProblem, NothingSealed, NobodyKnown, DamagedPack, LookupError) as error:
            fail(error)
    check = f"verify.py {target}" if target.suffix == ".zip" else f"{target}/verify.py"
    records, size = _counted(made.records, "record", "records"), _counted(made.size, "leaf", "leaves")
    told = (
        f"{records}, {made.opened:,} opened, proven in a log of {size}: {target}",
        f"Check it anywhere: python3 -I {check}",
    )
    for line in told:
        out().print(line, soft_wrap=True)


def _verify_from(
    connection: Connection,
    keys: Keys,
    since: str | None,
    kept: Sequence[Checkpoint],
    opening: bool,
    progress: Callable[[int, int], None],
    verify_log: Callable[..., Verdict],
) -> Verdict:
    first, also = _start(connection, keys, since) if since else (0, [])
    return verify_log(connection, keys, first=first, kept=[*kept, *also], opening=opening, progress=progress)


def _start(connection: Connection, keys: Keys, since: str) -> tuple[int, list[Checkpoint]]:
    """From which leaf on to read: a size, a date, or a checkpoint that was kept in a file."""
    from app.record.log import tree

    try:
        size = tree.size(connection)
    except tree.DamagedTree:  # verifying tells
        return 0, []
    if since.isdecimal():
        if int(since) > size:
            fail(f"--since: the log has {size:,} leaves, not {int(since):,}")
        return int(since), []
    if Path(since).is_file():
        checkpoint = _in_file(keys, since)
        return min(checkpoint.size, size), [checkpoint]
    found = tree.checkpoint(connection, by=_stamp("--since", since))
    if found is None:
        fail("--since: no checkpoint is as old as that; leave it out to read the whole log")
    return found.size, []


def _of_witness(keys: Keys, witness: str) -> list[Checkpoint]:
    """The newest checkpoint that a witness has seen, from where it is or from a file."""
    from app.record.log.cosigning import WitnessKey
    from app.record.log.notes import BadKey, BadNote, read_checkpoint
    from app.record.log.witness_client import WitnessClient, WitnessUnreachable

    if not witness.startswith(("http://", "https://")):
        return [_in_file(keys, witness)]
    key = settings().witness_key
    if key is None:
        fail("--witness: set WANLIU_WITNESS_KEY to the witness's verifier key, which it prints when it starts")
    try:
        client = WitnessClient(witness, WitnessKey.parse(key))
        note = client.latest(keys.origin)
        client.close()
        if note is None:
            fail("--witness: the witness has not seen this log")
        return [read_checkpoint(note, keys.verifiers)]
    except (WitnessUnreachable, BadNote, BadKey) as error:
        fail(f"--witness: {error}")


def _in_file(keys: Keys, name: str) -> Checkpoint:
    from app.record.log.notes import BadNote, read_checkpoint

    try:
        return read_checkpoint(Path(name).read_text("utf-8"), keys.verifiers)
    except OSError as error:
        fail(cannot_read("the checkpoint", error))
    except (BadNote, UnicodeDecodeError) as error:
        fail(f"`{name}` holds no checkpoint of this log: {error}")


def _stamp(option: str, given: str | None) -> str | None:
    from app.record.store.database import stamp

    if given is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(given)
    except ValueError:
        fail(f"{option}: `{given}` is no date; give one such as 2026-11-22, or a time with its zone")
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC))


def _tell(verdict: Verdict, decision: str | None) -> None:
    told = out()
    if decision is None:
        begin = f"leaves {verdict.first:,} to {verdict.size:,}" if verdict.first else _counted(verdict.size, "leaf", "leaves")
        records, checkpoints = _counted(verdict.records, "record", "records"), _counted(verdict.checkpoints, "checkpoint", "checkpoints")
        told.print(f"{verdict.origin}: {begin}, {records}, {checkpoints}, {_counted(verdict.writers, 'writer', 'writers')}")
    if verdict.rows:
        told.print(f"{_counted(verdict.rows, 'decision of campaigns', 'decisions of campaigns')} in the files of their parts")
    if verdict.archived:
        told.print(f"{_counted(verdict.archived, 'record was', 'records were')} archived; the log has the leaves")
    if verdict.waiting:
        told.print(f"{verdict.waiting:,} waiting to be sealed")
    if verdict.opened or verdict.sealed_for_good:
        opened = _counted(verdict.opened, "private payload", "private payloads")
        told.print(f"{opened} opened, {verdict.sealed_for_good:,} of erased persons stay closed")
    if verdict.kept:
        told.print(
            f"{_counted(verdict.kept, 'checkpoint', 'checkpoints')} compared that {'was' if verdict.kept == 1 else 'were'} kept elsewhere"
        )
    if verdict.genuine:
        told.print("Nothing was changed, added, taken away or moved." if decision is None else "The record is the one that was sealed.")
        return
    for finding in verdict.findings[:_SHOWN]:
        place = "the log" if finding.leaf is None else f"leaf {finding.leaf}"
        complain(f"{place}: {finding.message}{f' (entry {finding.entry})' if finding.entry else ''}")
    first = verdict.findings[0]
    complain(f"NOT GENUINE; the first bad leaf is {first.leaf}" if first.leaf is not None else "NOT GENUINE")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


@contextlib.contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    if not shown or not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task("verify", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
