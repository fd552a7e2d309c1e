"""`wanliu record`: what is on record, proved, handed out and taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.commands.options import MINE, AsJson, InLocale, MyName

record_app = typer.Typer(no_args_is_help=True, help="Look into the record: search, explain, replay, verify, export, erase.")

Subscriber = Annotated[str, typer.Argument(metavar="SUBSCRIBER", help="The operator's id of the subscriber.")]
EntryId = Annotated[str, typer.Argument(metavar="ID", help="A decision's id.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="DATE", help="From this date on (UTC); left out, thirty days.", show_default=False)
]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="To the end of this date.", show_default=False)]


def _filter(name: str, help: str) -> Any:  # noqa: A002 - as Typer calls it
    return typer.Option(f"--{name}", metavar=name.upper(), help=help, show_default=False)


@record_app.command("search")
def record_search(
    subscriber: Annotated[str | None, typer.Option(metavar="ID", help="The operator's id of a subscriber.", show_default=False)] = None,
    kind: Annotated[list[str] | None, _filter("kind", "Kind of entry; left out, decisions. `read`: who looked.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="A date, or a time with its offset.", show_default=False)] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="The same; a date to its end.", show_default=False)] = None,
    channel: Annotated[list[str] | None, _filter("channel", "Channel.")] = None,
    caller: Annotated[list[str] | None, _filter("caller", "Who asked.")] = None,
    role: Annotated[list[str] | None, _filter("role", "As what.")] = None,
    agent: Annotated[list[str] | None, _filter("agent", "Code of an agent.")] = None,
    pack: Annotated[list[str] | None, _filter("pack", "Digest of the pack.")] = None,
    campaign: Annotated[list[str] | None, _filter("campaign", "Name of a campaign.")] = None,
    stage: Annotated[list[str] | None, _filter("stage", "Lifecycle stage.")] = None,
    phase: Annotated[list[str] | None, _filter("phase", "Phase.")] = None,
    moment: Annotated[list[str] | None, _filter("moment", "Moment of truth.")] = None,
    signal: Annotated[list[str] | None, _filter("signal", "Signal that held; also with its level: four_high.tariff:severe.")] = None,
    offered: Annotated[list[str] | None, _filter("offered", "Action on the list.")] = None,
    tariff: Annotated[list[str] | None, _filter("tariff", "Tariff on the list.")] = None,
    suppressed: Annotated[list[str] | None, _filter("suppressed", "Action that contact policy or a guardrail kept out.")] = None,
    clause: Annotated[
        list[str] | None, _filter("clause", "Clause that kept an action out: contact.marketing_hours, or a name in any gate.")
    ] = None,
    outcome: Annotated[list[str] | None, _filter("outcome", "What came of it; also of one action: tariff_pack:accepted.")] = None,
    empty: Annotated[list[str] | None, _filter("empty", "Why nothing was on the list.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Entries on a page.")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="TEXT", help="Go on after the page before.", show_default=False)] = None,
    locale: InLocale = MINE,
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """Search the record, newest first. All filters must hold; an option may be given several times."""
    from app.cli.reading import find

    filters = {
        "kind": kind,
        "channel": channel,
        "caller": caller,
        "role": role,
        "agent": agent,
        "pack": pack,
        "campaign": campaign,
        "stage": stage,
        "phase": phase,
        "moment": moment,
        "signal": signal,
        "offered": offered,
        "tariff": tariff,
        "suppressed": suppressed,
        "clause": clause,
        "outcome": outcome,
        "empty": empty,
    }
    find(filters, subscriber=subscriber, since=since, until=until, limit=limit, cursor=cursor, locale=locale, by=by, as_json=as_json)


@record_app.command("show")
def record_show(
    decision: EntryId,
    locale: InLocale = MINE,
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """A decision with everything needed to understand it; of another entry, its envelope."""
    from app.cli.reading import show

    show(decision, locale, by, as_json=as_json)


@record_app.command("explain")
def record_explain(
    decision: EntryId,
    locale: InLocale = MINE,
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """A decision in words: why this over the runner-up, what would have changed it, whether a protected attribute had influence."""
    from app.cli.reading import explain as tell

    tell(decision, locale, by, as_json=as_json)


@record_app.command("replay")
def record_replay(
    decision: EntryId,
    pack: Annotated[
        Path | None, typer.Option("--pack", metavar="FOLDER", help="A draft: what would it have decided instead?", show_default=False)
    ] = None,
    locale: InLocale = MINE,
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """Make a decision again, with the pack that made it. The exit code is 1 when the answer differs."""
    from app.cli.reading import replay

    replay(decision, pack, locale, by, as_json=as_json)


@record_app.command("proof")
def record_proof(decision: EntryId, locale: InLocale = MINE, as_json: AsJson = False) -> None:
    """Prove that an entry is on record: its leaf, the path, the signed root."""
    from app.cli.reading import proof

    proof(decision, locale, as_json=as_json)


@record_app.command("figures")
def record_figures(
    since: Since = None,
    until: Until = None,
    pack: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="One pack, by the beginning of its digest.", show_default=False)
    ] = None,
    locale: InLocale = MINE,
    as_json: AsJson = False,
) -> None:
    """Funnel by gate, suppressions and caps, empty answers, offers and concessions by group, what agents did."""
    from app.cli.reading import figures

    figures(since, until, pack, locale, as_json=as_json)


@record_app.command("pairs")
def record_pairs(
    since: Since = None,
    until: Until = None,
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="One channel.", show_default=False)] = None,
    most: Annotated[int, typer.Option(min=2, max=5000, help="Decisions to look through, newest first.")] = 1000,
    locale: InLocale = MINE,
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """Pairs of decisions in the same conditions with different prices."""
    from app.cli.reading import pairs

    pairs(since, until, channel, most, locale, by, as_json=as_json)


@record_app.command("reindex")
def record_reindex() -> None:
    """Make the search index anew, beside a running service. No proof rests on it."""
    from app.cli.reading import reindex

    reindex()


@record_app.command("verify")
def record_verify(
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE|SIZE|FILE",
            help="Read only what was sealed since: a date, a number of leaves, or a file with a checkpoint that was kept elsewhere.",
            show_default=False,
        ),
    ] = None,
    decision: Annotated[str | None, typer.Option(metavar="ID", help="Check one entry by its proof.", show_default=False)] = None,
    witness: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE", help="Compare with what a witness has seen: where it is, or a file with its checkpoint.", show_default=False
        ),
    ] = None,
    opening: Annotated[bool, typer.Option("--open", help="Also open every private payload whose key is kept. Slower.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that nothing on the record was changed, added, taken away or moved; name the first bad leaf."""
    from app.cli.proving import verify

    verify(since, decision, witness, opening=opening, as_json=as_json)


@record_app.command("export")
def record_export(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Where the bundle goes: a folder, or a file that ends in .zip.")],
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="From this time on, UTC.", show_default=False)] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Before this time, UTC.", show_default=False)] = None,
    decisions: Annotated[
        list[str] | None, typer.Option("--decision", metavar="ID", help="A decision and its outcomes. May be repeated.", show_default=False)
    ] = None,
    opened: Annotated[
        list[str] | None,
        typer.Option("--open", metavar="SUBSCRIBER", help="Open what is known of this person. May be repeated.", show_default=False),
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also tables for analysis, without anything of a person.")] = False,
    by: MyName = None,
) -> None:
    """Write a bundle that anybody can check offline: records, proofs, checkpoints, packs, and the verifier."""
    from app.cli.proving import export

    export(target, since, until, decisions or [], opened or [], by, parquet=parquet)


@record_app.command("erase")
def record_erase(
    subscriber: Subscriber,
    basis: Annotated[str, typer.Option(metavar="TEXT", help="On what the erasure rests. It stays on the record: nothing personal in it.")],
    watch: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="A campaign's watch folder to take them out of; may be repeated.", show_default=False),
    ] = None,
    by: MyName = None,
) -> None:
    """Erase a person. Their decisions stay, provable and unreadable."""
    from app.cli.erasing import erase

    erase(subscriber, basis, by, watch or ())


@record_app.command("scrub")
def record_scrub(
    full: Annotated[
        bool, typer.Option("--full", help="On PostgreSQL, write the tables anew: nobody reads or writes them meanwhile.")
    ] = False,
) -> None:
    """Overwrite the bytes of rows that were deleted, which `erase` does too unless the store is busy."""
    from app.cli.erasing import scrub

    scrub(full=full)


@record_app.command("hold")
def record_hold(
    subscriber: Subscriber,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; told to whoever tries to erase.")],
    by: MyName = None,
) -> None:
    """Put a person under legal hold: erasing is refused, and retention keeps their entries."""
    from app.cli.erasing import hold

    hold(subscriber, reason, by)


@record_app.command("release")
def record_release(subscriber: Subscriber, by: MyName = None) -> None:
    """End a legal hold."""
    from app.cli.erasing import release

    release(subscriber, by)


@record_app.command("retention")
def record_retention(
    apply: Annotated[bool, typer.Option("--apply", help="Take the old months out. Without it they are only listed.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--archive", metavar="DIR", help="Write each month as a bundle first. Without it they are dropped.", show_default=False
        ),
    ] = None,
    jurisdiction: Annotated[
        str | None, typer.Option(help="Whose law counts. Left out: those of all packs ever published, the longest.", show_default=False)
    ] = None,
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """Months that are older than records are kept; archive or drop them. Proofs of the rest go on working."""
    from app.cli.erasing import retention

    retention(jurisdiction, folder, by, apply=apply, as_json=as_json)


@record_app.command("access")
def record_access(
    subscriber: Subscriber,
    locale: InLocale = MINE,
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """Everything that is held about a person, every decision in plain words, and what they refused since when."""
    from app.cli.handing_out import access

    access(subscriber, locale, by, as_json=as_json)


@record_app.command("complaint")
def record_complaint(
    decisions: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of the decisions.")],
    target: Annotated[Path, typer.Option("--out", metavar="OUT", help="A folder, or a file that ends in .zip.")],
    locale: InLocale = MINE,
    by: MyName = None,
) -> None:
    """The answer file for a complaint: the decisions in words, what they rest on, and a bundle that proves it."""
    from app.cli.handing_out import complaint

    complaint(decisions, target, locale, by)
