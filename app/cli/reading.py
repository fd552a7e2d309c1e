"""`wanliu record search`, `show`, `explain`, `replay`, `proof`, `figures`, `pairs`: who reads what is about a person is on the record."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.console import fail, out, write_json
from app.cli.store import in_force, library, now, the_record, who
from app.engine.texts import language_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.engine.pack import Pack
    from app.record.packs.library import PackLibrary
    from app.record.reading.recorded import Recorded
    from app.record.store.record import Record

ROLE = "compliance"
"""What the record calls the role of whoever reads by the command line."""
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def find(
    filters: Mapping[str, Sequence[str] | None],
    *,
    subscriber: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    cursor: str | None,
    locale: str,
    by: str | None,
    as_json: bool,
) -> None:
    """Print what a search finds, newest first."""
    from app.record.reading.recorded import token_of
    from app.record.search.cursors import BadCursor
    from app.record.search.filters import BadFilters, query_of
    from app.record.search.finding import search

    given = {name: list(values) for name, values in filters.items() if values}
    given.setdefault("kind", ["decision"])
    with the_record() as record:
        packs = library(record)
        pack = in_force(record, packs)
        try:
            with record.database.reading() as connection:
                token = None if subscriber is None else token_of(connection, record.keys, subscriber)
                if subscriber is not None and token is None:
                    fail("nobody on record has this id: never met, or erased")
                query = query_of(connection, given, pack, since=since, until=until, subject=token)
                page = search(connection, query, limit=limit, cursor=cursor)
        except BadFilters as error:
            fail(*(f"--{item.field}: {item.message}" for item in error.problems))
        except BadCursor as error:
            fail(f"--cursor: {error}")
        told = {**query.terms, **({"since": query.since} if query.since else {}), **({"until": query.until} if query.until else {})}
        _note(record, by, "list", token=token, filters=told, found=len(page.hits))
    if as_json:
        entries = [{"leaf": hit.leaf, "id": hit.entry_id, "at": hit.at, "envelope": hit.envelope} for hit in page.hits]
        write_json({"entries": entries, "next": page.cursor, "searched": page.searched})
    else:
        from app.cli.record_tables import found

        _print(found(page, pack, language_of(locale)))


def show(entry_id: str, locale: str, by: str | None, *, as_json: bool) -> None:
    """Print an entry; a decision with everything needed to understand it."""
    from app.record.reading.dossier import dossier

    with the_record() as record:
        recorded = _read(record, entry_id)
        if recorded.envelope["kind"] != "decision":
            write_json(recorded.envelope)
            return
        packs = library(record)
        made = record.read_now(lambda connection: dossier(connection, record.keys, recorded, packs, language_of(locale)))
        _note(record, by, "decision", recorded)
        pack = _pack(packs, recorded)
    if as_json:
        write_json(_plain(made))
    else:
        from app.cli.record_pages import DossierPage

        _print(DossierPage(made, pack, language_of(locale)).render())


def explain(entry_id: str, locale: str, by: str | None, *, as_json: bool) -> None:
    """Print a decision in words, why this over the runner-up, what would have changed it, and whether protected facts had influence."""
    from app.engine.problems import PackError
    from app.record.packs.steps import UnknownPack
    from app.record.reading.consulting import explained

    with the_record() as record:
        recorded = _read(record, entry_id, "decision")
        case, digest = recorded.case, recorded.body["pack"]
        if case is None:
            fail("the person was erased: the envelope says what was decided, nothing says of what; `wanliu record show` prints it")
        packs = library(record)
        try:
            told = explained(packs, digest, case, language_of(locale))
            pack = packs.get(digest)
        except (PackError, UnknownPack) as error:
            fail(f"the pack that decided cannot be used by this version: {str(error).partition(chr(10))[0]}")
        _note(record, by, "explanation", recorded)
    if as_json:
        write_json(_plain(told))
        return
    from app.cli.record_reasons import what_if
    from app.cli.showing import Sheet

    _print([Sheet(recorded.id, pack, case, told.explanation, language_of(locale)).render(), *what_if(told, pack, language_of(locale))])


def replay(entry_id: str, draft: Path | None, locale: str, by: str | None, *, as_json: bool) -> None:
    """Make a decision again; with a draft pack, say what it would have decided instead. Exit code 1 where the answer differs."""
    from app.cli.packs import load
    from app.record.reading.replaying import instead
    from app.record.reading.replaying import replay as again

    other = load(draft) if draft is not None else None
    with the_record() as record:
        recorded = _read(record, entry_id, "decision")
        packs = library(record)
        made = again(recorded, packs)
        pack = _pack(packs, recorded)
        would = instead(recorded, pack, other) if pack is not None and other is not None else None
        _note(record, by, "replay", recorded)
    if as_json:
        write_json({"replay": _plain(made), "instead": _plain(would)})
    else:
        from app.cli.record_tables import replayed

        _print(replayed(made, would, language_of(locale)))
    if made.verdict in ("differs", "pack_unusable"):
        raise SystemExit(1)


def proof(entry_id: str, locale: str, *, as_json: bool) -> None:
    """Print the proof that an entry is on record."""
    from app.record.reading.consulting import proof_of

    with the_record() as record:
        found = record.read_now(lambda connection: proof_of(connection, _id(entry_id)))
    if found is None:
        fail(f"nothing on record has the id {_id(entry_id)}")
    if found.inclusion is None:
        fail("it waits to be sealed, which a running service does every second")
    inclusion = found.inclusion
    told: dict[str, Any] = {
        "id": _id(entry_id),
        "envelope": found.envelope.decode(),
        "leaf": inclusion.leaf.index,
        "leaf_hash": inclusion.leaf.hash.hex(),
        "path": [item.hex() for item in inclusion.path],
        "size": inclusion.checkpoint.size,
        "root": inclusion.checkpoint.root.hex(),
        "checkpoint": inclusion.checkpoint.note,
    }
    if found.row is not None:
        row, leaves = found.row, found.row.leaves
        place = {"position": row.position, "size": len(leaves), "leaf_hash": leaves[row.position].hex()}
        told["row"] = {"envelope": row.envelope.decode(), **place, "path": [item.hex() for item in row.path], "root": row.chunk.root}
    if as_json:
        write_json(told)
    else:
        from app.cli.record_tables import proved

        _print(proved(told, language_of(locale)))


def figures(since: str | None, until: str | None, pack: str | None, locale: str, *, as_json: bool) -> None:
    """Print the figures of some days."""
    from app.record.reading.figures import figures as worked_out

    first, last = _days(since, until)
    with the_record() as record:
        packs = library(record)
        digest = None if pack is None else _digest(packs, pack)
        made = record.read_now(lambda connection: worked_out(connection, packs, first, last, digest))
    if as_json:
        write_json(_plain(made))
    else:
        from app.cli.record_figures import figured

        _print(figured(made, language_of(locale)))


def pairs(since: str | None, until: str | None, channel: str | None, most: int, locale: str, by: str | None, *, as_json: bool) -> None:
    """Print pairs of decisions in the same conditions with different prices."""
    from app.record.reading.pairs import unequal_pairs
    from app.record.search.filters import BadFilters, query_of

    first, last = _days(since, until)
    with the_record() as record:
        packs = library(record)
        given = {"channel": [channel]} if channel else {}
        try:
            with record.database.reading() as connection:
                query = query_of(connection, given, None, since=first, until=last)
                made = unequal_pairs(connection, record.keys, packs, query, most)
        except BadFilters as error:
            fail(*(f"--{item.field}: {item.message}" for item in error.problems))
        _note(record, by, "pairs", filters={"since": first, "until": last, **given}, found=made.examined)
    if as_json:
        write_json(_plain(made))
    else:
        from app.cli.record_figures import paired

        _print(paired(made, language_of(locale)))


def reindex() -> None:
    """Make the search index anew."""
    from app.record.search.filling import fill_anew

    with the_record() as record:
        out().print(f"{fill_anew(record.database):,} leaves indexed")


def _read(record: Record, entry_id: str, kind: str | None = None) -> Recorded:
    """The entry; what is none, or is damaged, ends the command."""
    from app.record.damage import DamagedEntry
    from app.record.reading.recorded import read_entry

    wanted = _id(entry_id)
    try:
        found = record.read_now(lambda connection: read_entry(connection, record.keys, wanted))
    except DamagedEntry as error:
        fail(error)
    if found is None or kind not in (None, found.envelope["kind"]):
        fail(f"no {kind or 'entry'} has the id {wanted}" + (f"; it is of the kind {found.envelope['kind']}" if found else ""))
    return found


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        fail("an id looks like 019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b; `wanliu record search` lists them")
    return text.lower()


def _note(record: Record, by: str | None, what: str, recorded: Recorded | None = None, **more: Any) -> None:
    """Put on the record who looks, before they see it."""
    from app.record.ids import Ids
    from app.record.reading.recorded import read_note

    at = now()
    if recorded is not None:
        more |= {"of": recorded.id, "token": recorded.subject}
    record.write_now(read_note(Ids().new(at), at, caller=who(by), role=ROLE, what=what, **more))


def _pack(packs: PackLibrary, recorded: Recorded) -> Pack | None:
    from app.engine.problems import PackError
    from app.record.packs.library import DamagedPack
    from app.record.packs.steps import UnknownPack

    try:
        return packs.get(recorded.body["pack"])
    except (PackError, UnknownPack, DamagedPack):
        return None


def _digest(packs: PackLibrary, given: str) -> str:
    from app.record.packs.steps import UnknownPack

    try:
        return packs.shelf().find(given)
    except UnknownPack as error:
        fail(f"--pack: {error}")


def _days(since: str | None, until: str | None) -> tuple[str, str]:
    """The first and last day asked for; left out, the last thirty."""
    try:
        last = datetime.date.fromisoformat(until) if until else now().date()
        first = datetime.date.fromisoformat(since) if since else last - datetime.timedelta(days=30)
    except ValueError:
        fail("--since and --until are dates, such as 2026-11-01")
    if first > last:
        fail("--until: expected a day not before --since")
    return first.isoformat(), last.isoformat()


def _plain(made: object) -> Any:
    """Dataclasses and mappings as JSON values."""
    import orjson

    return orjson.loads(orjson.dumps(made, default=lambda value: dict(value) if isinstance(value, Mapping) else sorted(value)))


def _print(parts: RenderableType | Sequence[RenderableType]) -> None:
    console = out()
    for part in parts if isinstance(parts, list | tuple) else [parts]:
        console.print(part)
