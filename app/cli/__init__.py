"""The command line: `wanliu decide`, `wanliu serve`, `wanliu pack`, `wanliu version`.

Every command imports what it needs when it runs, so that the program answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    name="wanliu",
    help="Decides the next best action for a telecom subscriber, and says why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
pack_app = typer.Typer(no_args_is_help=True, help="Look at a pack of rules and policies, or check it.")
app.add_typer(pack_app, name="pack")
record_app = typer.Typer(no_args_is_help=True, help="Look into the record: search, explain, replay, verify, export, erase.")
app.add_typer(record_app, name="record")
caller_app = typer.Typer(no_args_is_help=True, help="Who may call the service, and as what.")
app.add_typer(caller_app, name="caller")
keys_app = typer.Typer(no_args_is_help=True, help="The record's own keys.")
app.add_typer(keys_app, name="keys")


Detail = Literal["none", "summary", "full"]
Role = Literal["development", "author", "compliance", "agent", "campaign", "self_service"]
CallerRole = Literal["agent", "self_service", "campaign", "compliance", "privacy_officer", "author", "approver", "operations"]
Locale = Literal["zh-CN", "en"]
Form = Literal["text", "json", "sarif"]

PackFolder = Annotated[
    Path | None,
    typer.Option("--pack", metavar="FOLDER", help="Folder with rules/ and policies/. Left out: WANLIU_PACK, or the current folder."),
]


@app.command()
def decide(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE|-", help="Requests as JSON, as for POST /v1/decisions; `-` is standard input.", show_default=False),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Decide for every row: .csv with --mapping, or .ndjson with a request a line.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(metavar="FILE", help="Which column of the table is which fact.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the decisions go, one JSON object a line.")] = None,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help="Where refused rows go, one JSON object a line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table for people; with --table the summary.")] = False,
    explain: Annotated[
        Detail | None, typer.Option(help="How much to say of why; as the request wishes when left out.", show_default=False)
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The same as --explain full: also what was not offered, and why.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Decide live and store the decision. Without it the file runs as what-if and leaves no trace.")
    ] = False,
    role: Annotated[
        Role | None, typer.Option(help="Whom the answer is for. development for FILE, campaign for --table.", show_default=False)
    ] = None,
    locale: Annotated[
        Locale | None, typer.Option(help="Language of the texts; as the request says when left out.", show_default=False)
    ] = None,
    channel: Annotated[
        str | None, typer.Option(metavar="CHANNEL", help="Another channel than the request's, such as app or outbound_call.")
    ] = None,
    pack: PackFolder = None,
) -> None:
    """Decide for one subscriber, or for a whole file with --table."""
    from app.cli.usage import Wishes, check_usage

    wishes = Wishes(
        explain="full" if full else explain,
        role=role,
        locale=locale,
        channel=channel,
        record=record,
        as_json=as_json,
        pack=pack,
    )
    check_usage(files or [], table, mapping, out, rejects, wishes)
    if table is not None:
        from app.cli.tables import decide_table

        decide_table(table, mapping, out, rejects, wishes)
    else:
        from app.cli.files import decide_files

        decide_files(files or [], wishes)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Left out: WANLIU_HOST, or loopback.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port. Left out: WANLIU_PORT.", show_default=False)] = None,
) -> None:
    """Start the service."""
    from app.cli.serving import serve as start

    start(host, port)


@app.command()
def witness(
    logs: Annotated[
        list[str] | None,
        typer.Option("--log", metavar="KEY", help="Verifier key of a log to witness, as `wanliu keys show` prints it. May be repeated."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8010,
    file: Annotated[Path, typer.Option(metavar="FILE", help="What the witness remembers; made when it is not there.")] = Path("witness.db"),
    key: Annotated[Path, typer.Option(metavar="FILE", help="The witness's own key; made when it is not there.")] = Path("witness.key"),
    name: Annotated[str | None, typer.Option(help="What a new key is called, such as witness.example.", show_default=False)] = None,
) -> None:
    """Run a witness: it cosigns the checkpoints of logs, and refuses one that does not go on from what it has seen."""
    from app.cli.witness import witness as start

    start(host, port, file, key, name, logs or [])


@app.command()
def version() -> None:
    """Print the version of the engine."""
    from app import __version__

    typer.echo(__version__)


@pack_app.command("show")
def pack_show(pack: PackFolder = None, locale: Annotated[Locale, typer.Option(help="Language of the titles.")] = "en") -> None:
    """What a pack holds: its actions, signals and tariffs."""
    from app.cli.packs import show

    show(pack, locale)


@pack_app.command("check")
def pack_check(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Folder with rules/ and policies/. Left out: WANLIU_PACK, or the current folder.", show_default=False
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="How mistakes are printed; sarif is what forges and editors take.")] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
    pack: Annotated[Path | None, typer.Option("--pack", hidden=True)] = None,
) -> None:
    """Check a pack. Every mistake is told with its file, line and column; the exit code is 1 when there is an error."""
    from app.cli.checking import check

    check(folder or pack, form, strict=strict)


@pack_app.command("explain")
def pack_explain(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME…", help="Signals, actions, facts, thresholds, tariffs, phases …: four_high.tariff, tariff_pack, plan.monthly_fee."
        ),
    ],
    pack: PackFolder = None,
    locale: Annotated[Locale, typer.Option(help="Language of titles and texts.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a page for people.")] = False,
) -> None:
    """What a name means, what it rests on, and where the pack uses it."""
    from app.cli.explaining import explain

    explain(names, pack, locale, as_json=as_json)


@pack_app.command("diff")
def pack_diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="Folder of the pack as it was.")],
    after: Annotated[
        Path | None, typer.Argument(metavar="AFTER", help="Folder of the changed pack. Left out: WANLIU_PACK, or the current folder.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Subscribers to decide with both: .csv with --mapping, or .ndjson.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(metavar="FILE", help="Which column of the table is which fact.")] = None,
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Another channel than the mapping's or the requests'.")] = None,
    locale: Annotated[Locale, typer.Option(help="Language of what is printed.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables for people.")] = False,
) -> None:
    """What changed between two packs, and for how many subscribers of a file."""
    from app.cli.comparing import diff
    from app.cli.usage import check_comparison

    check_comparison(table, mapping, channel)
    diff(before, after, table, mapping, channel, locale, as_json=as_json)


@pack_app.command("test")
def pack_test(
    pack: PackFolder = None,
    run: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only tests whose file, suite or name holds this text.", show_default=False)
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also name the tests that pass.")] = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report too.", show_default=False)] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=64, help="Processes. Left out: as many as pay off.", show_default=False)] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="How the outcome is printed.")] = "text",
    covered: Annotated[
        bool | None,
        typer.Option("--coverage/--no-coverage", help="What the tests cover. Left out: unless --run is given.", show_default=False),
    ] = None,
    uncovered: Annotated[bool, typer.Option("--uncovered", help="List what is not covered, with its place.")] = False,
    fail_under: Annotated[
        float | None, typer.Option(min=0, max=100, metavar="PERCENT", help="Fail when less is covered.", show_default=False)
    ] = None,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Change thresholds and take out clauses one at a time; list what no test notices.")
    ] = False,
    locale: Annotated[Locale, typer.Option(help="Language of what is printed.")] = "en",
) -> None:
    """Run the suites in policies/tests/. The exit code is 1 when a test fails, and when there is none."""
    from app.cli.testing import Run, test

    test(pack, Run(run, verbose, junit, jobs, form == "json", covered, uncovered, fail_under, locale, mutate))


@pack_app.command("schema")
def pack_schema(tests: Annotated[bool, typer.Option("--tests", help="Of the suites in policies/tests/.")] = False) -> None:
    """Print the JSON Schema of a pack's files, for editors that complete and validate YAML."""
    from app.cli.packs import schema

    schema(tests=tests)


DigestArgument = Annotated[str, typer.Argument(metavar="DIGEST", help="A pack's digest, or enough of its beginning.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it.")]
NoteOption = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Why, for those who come later.", show_default=False)]


@pack_app.command("publish")
def pack_publish(
    author: Annotated[str, typer.Option("--author", metavar="NAME", help="Who answers for it; somebody else has to approve it.")],
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Folder with rules/ and policies/. Left out: WANLIU_PACK, or the current folder.", show_default=False
        ),
    ] = None,
) -> None:
    """Put a pack on the record, so that somebody else can approve it. What `check` refuses is refused."""
    from app.cli.packs_in_force import publish

    publish(folder, author)


@pack_app.command("approve")
def pack_approve(digest: DigestArgument, by: ByOption, note: NoteOption = None) -> None:
    """Approve a pack that somebody else published."""
    from app.cli.packs_in_force import approve

    approve(digest, by, note)


@pack_app.command("reject")
def pack_reject(
    digest: DigestArgument, by: ByOption, note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, for its author.")]
) -> None:
    """Refuse a pack, or take its approval back."""
    from app.cli.packs_in_force import reject

    reject(digest, by, note)


@pack_app.command("activate")
def pack_activate(
    digest: DigestArgument,
    by: ByOption,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="From when on, such as 2026-12-01T00:00:00+08:00. Left out: now.")
    ] = None,
    note: NoteOption = None,
) -> None:
    """Let an approved pack decide. Running services take it over, once they have run its tests."""
    from app.cli.packs_in_force import activate

    activate(digest, by, at, note)


@pack_app.command("schedule")
def pack_schedule(
    digest: DigestArgument,
    by: ByOption,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="From when on, such as 2026-12-01T00:00:00+08:00.")],
    note: NoteOption = None,
) -> None:
    """Let an approved pack decide from a time on."""
    from app.cli.packs_in_force import activate

    activate(digest, by, at, note)


@pack_app.command("withdraw")
def pack_withdraw(digest: DigestArgument, by: ByOption, note: NoteOption = None) -> None:
    """Take a pack's scheduled activation back."""
    from app.cli.packs_in_force import withdraw

    withdraw(digest, by, note)


@pack_app.command("rollback")
def pack_rollback(by: ByOption, note: NoteOption = None) -> None:
    """Bring back the pack that was active before."""
    from app.cli.packs_in_force import rollback

    rollback(by, note)


@pack_app.command("list")
def pack_list(
    steps: Annotated[bool, typer.Option("--steps", help="Also everything that was done with each.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table for people.")] = False,
) -> None:
    """Every pack that was published: its state, who published and approved it, from when on it decides."""
    from app.cli.packs_in_force import show_list

    show_list(steps=steps, as_json=as_json)


@caller_app.command("add")
def caller_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the record calls it: small letters, digits and _ . -")],
    role: Annotated[CallerRole, typer.Option(help="What it may do; docs/callers.md has the table.")],
    grade: Annotated[
        str | None,
        typer.Option(
            metavar="GRADE", help="For agents: a name under `arbitration.concession` of the pack, such as leader.", show_default=False
        ),
    ] = None,
) -> None:
    """Add a caller and print its key, once."""
    from app.cli.callers import add

    add(name, role, grade)


@caller_app.command("list")
def caller_list(as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table for people.")] = False) -> None:
    """Who was ever added, with what role, by whom, and who was revoked."""
    from app.cli.callers import show

    show(as_json=as_json)


@caller_app.command("revoke")
def caller_revoke(name: Annotated[str, typer.Argument(metavar="NAME", help="As `wanliu caller list` has it.")]) -> None:
    """Take a caller's key away. The name stays on the list, and may be added again with a new key."""
    from app.cli.callers import revoke

    revoke(name)


MyName = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who you are, for the record. Left out: your login name.", show_default=False)
]
Subscriber = Annotated[str, typer.Argument(metavar="SUBSCRIBER", help="The operator's id of the subscriber.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text for people.")]


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
    stage: Annotated[list[str] | None, _filter("stage", "Lifecycle stage.")] = None,
    phase: Annotated[list[str] | None, _filter("phase", "Phase.")] = None,
    moment: Annotated[list[str] | None, _filter("moment", "Moment of truth.")] = None,
    signal: Annotated[list[str] | None, _filter("signal", "Signal that held; also with its level: four_high.tariff:severe.")] = None,
    offered: Annotated[list[str] | None, _filter("offered", "Action on the list.")] = None,
    tariff: Annotated[list[str] | None, _filter("tariff", "Tariff on the list.")] = None,
    suppressed: Annotated[list[str] | None, _filter("suppressed", "Action that contact policy or a guardrail kept out.")] = None,
    clause: Annotated[list[str] | None, _filter("clause", "Clause that kept an action out: contact.quiet_hours.")] = None,
    outcome: Annotated[list[str] | None, _filter("outcome", "What came of it; also of one action: tariff_pack:accepted.")] = None,
    empty: Annotated[list[str] | None, _filter("empty", "Why nothing was on the list.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Entries on a page.")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="TEXT", help="Go on after the page before.", show_default=False)] = None,
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
    find(filters, subscriber=subscriber, since=since, until=until, limit=limit, cursor=cursor, by=by, as_json=as_json)


@record_app.command("show")
def record_show(
    decision: EntryId,
    locale: Annotated[Locale, typer.Option(help="Language of titles.")] = "en",
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """A decision with everything needed to understand it; of another entry, its envelope."""
    from app.cli.reading import show

    show(decision, locale, by, as_json=as_json)


@record_app.command("explain")
def record_explain(
    decision: EntryId,
    locale: Annotated[Locale, typer.Option(help="Language of the words.")] = "en",
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
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """Make a decision again, with the pack that made it. The exit code is 1 when the answer differs."""
    from app.cli.reading import replay

    replay(decision, pack, by, as_json=as_json)


@record_app.command("proof")
def record_proof(decision: EntryId, as_json: AsJson = False) -> None:
    """Prove that an entry is on record: its leaf, the path, the signed root."""
    from app.cli.reading import proof

    proof(decision, as_json=as_json)


@record_app.command("figures")
def record_figures(
    since: Since = None,
    until: Until = None,
    pack: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="One pack, by the beginning of its digest.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Funnel by gate, suppressions and caps, empty answers, offers and concessions by group, what agents did."""
    from app.cli.reading import figures

    figures(since, until, pack, as_json=as_json)


@record_app.command("pairs")
def record_pairs(
    since: Since = None,
    until: Until = None,
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="One channel.", show_default=False)] = None,
    most: Annotated[int, typer.Option(min=2, max=5000, help="Decisions to look through, newest first.")] = 1000,
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """Pairs of decisions in the same conditions with different prices."""
    from app.cli.reading import pairs

    pairs(since, until, channel, most, by, as_json=as_json)


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
    by: MyName = None,
) -> None:
    """Erase a person. Their decisions stay, provable and unreadable."""
    from app.cli.erasing import erase

    erase(subscriber, basis, by)


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
    locale: Annotated[Locale, typer.Option(help="Language of the words.")] = "zh-CN",
    by: MyName = None,
    as_json: AsJson = False,
) -> None:
    """Everything that is held about a person, every decision in plain words, and what they refused since when."""
    from app.cli.erasing import access

    access(subscriber, locale, by, as_json=as_json)


@record_app.command("complaint")
def record_complaint(
    decisions: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of the decisions.")],
    target: Annotated[Path, typer.Option("--out", metavar="OUT", help="A folder, or a file that ends in .zip.")],
    locale: Annotated[Locale, typer.Option(help="Language of the words.")] = "zh-CN",
    by: MyName = None,
) -> None:
    """The answer file for a complaint: the decisions in words, what they rest on, and a bundle that proves it."""
    from app.cli.erasing import complaint

    complaint(decisions, target, locale, by)


@keys_app.command("show")
def keys_show(as_json: AsJson = False) -> None:
    """The public halves of the record's keys: what a witness and an auditor need."""
    from app.cli.keys import show

    show(as_json=as_json)


@keys_app.command("rotate")
def keys_rotate(
    which: Annotated[
        Literal["signing", "wrapping"],
        typer.Argument(metavar="signing|wrapping", help="The key that signs checkpoints, or the one that wraps the keys of subjects."),
    ],
    by: MyName = None,
) -> None:
    """Put a new key into the keys file, to be used from the services' next start on. Old ones stay, for what they signed and wrapped."""
    from app.cli.keys import rotate

    rotate(which, by)


@keys_app.command("rewrap")
def keys_rewrap() -> None:
    """Wrap the keys of all subjects with the newest wrapping key."""
    from app.cli.keys import rewrap

    rewrap()


def main() -> None:
    """Run the command line. Exit codes: 0 fine, 1 the input or the pack is wrong, 2 the command is."""
    import sys

    from app.cli.console import cannot_write, complain, drop_output, prepare_streams

    prepare_streams()
    try:
        app()
    except BrokenPipeError:  # the reader of our output has gone: no news
        drop_output()
        sys.exit(1)
    except OSError as error:
        drop_output()
        complain(cannot_write(error))
        sys.exit(1)
