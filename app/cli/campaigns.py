"""`wanliu campaign run`, `map` and `results`."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.campaign.commission import Commission, CommissionRefused, Ready, ready
from app.campaign.crew import Together, cores
from app.campaign.finishing import Finished, complained
from app.campaign.input import input_at
from app.campaign.mapping import own_facts
from app.campaign.problems import TableError
from app.campaign.refusal_words import reason
from app.campaign.report import Report, Run, Telling, as_html, as_json, report_of, titles_for
from app.campaign.running import Recording, run_campaign
from app.cli.campaign_report import report_parts
from app.cli.console import err, fail, out, write_bytes, write_json
from app.cli.packs import files_of, folder_of, load, settings
from app.cli.tables import told

if TYPE_CHECKING:
    from rich.progress import Task

    from app.campaign.running import Progress as Done
    from app.engine.pack import Pack
    from app.record.campaigns.model import Standing
    from app.record.store.record import Record

CALLER = "cli"
"""What the record calls whoever uses the command line."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted of a run beside the decisions: the other options of the command."""

    report: Path | None
    anew: bool
    as_json: bool
    pack: Path | None


def run(commission: Commission, contact_at: str | None, wishes: Wishes) -> None:
    """Decide for everybody in a file, then print the report."""
    began = perf_counter()
    pack = load(wishes.pack)
    with told():
        campaign = _ready(commission, contact_at, pack)
        before = _before(wishes.report)
        with _recorded(pack, campaign, wishes) as (started, recording), _bar(campaign.given.size) as follow:
            finishing = campaign.finishing(pack, started, None if recording is None else recording.campaign)
            parts = campaign.parts(pack, started)
            together = Together(files_of(folder_of(wishes.pack)), cores())
            worked = campaign.wanted.output.worked if recording is not None and recording.campaign.standing.chunks else 0.0

            def followed(progress: Done) -> None:
                follow(progress)
                campaign.wanted.output.keep_worked(worked + perf_counter() - began)

            figures = run_campaign(pack, parts, campaign.wanted, recording, finishing=finishing, told=followed, together=together)
        made = Run(
            campaign.name,
            f"{pack.name} {pack.version}",
            pack.digest,
            commission.source.name,
            campaign.channel,
            started.astimezone(ZoneInfo(pack.zone)),
            worked + perf_counter() - began,
        )
        earlier = before if before is not None and before.run.campaign == campaign.name else None
        found = Finished() if finishing is None else finishing.found
        _show(Report(made, figures, earlier, found.watch, found.limited), pack, campaign, found.lists, wishes)
    if found.stopped is not None:
        fail(f"{complained(campaign.name, campaign.limits, found.stopped)}; the campaign was stopped, and is closed")


def _ready(commission: Commission, contact_at: str | None, pack: Pack) -> Ready:
    """The campaign as it was typed, checked; what is wrong is told by the name of its option."""
    wanted = commission if contact_at is None else replace(commission, contact_at=_later(contact_at, _clock()))
    try:
        return ready(wanted, own_facts(pack))
    except CommissionRefused as error:
        fail(f"--{error.field}: {error}" if error.field else error)


def _later(text: str, now: datetime.datetime) -> datetime.datetime:
    """A time to come, as it was typed."""
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        fail(f"--contact-at: expected a time such as {now:%Y-%m-%d}T10:00:00+08:00, not `{text}`")
    if at.tzinfo is None:
        fail(f"--contact-at: say in which offset it is, as in {at.isoformat()}+08:00")
    return at


@contextlib.contextmanager
def _recorded(pack: Pack, campaign: Ready, wishes: Wishes) -> Iterator[tuple[datetime.datetime, Recording | None]]:
    """The time that all decisions of the run have, and the run on the record; one of the same that was left unfinished is gone on with."""
    now = _clock()
    if campaign.commission.what_if:
        yield now, None
        return
    from app.cli.recording import keep_pack
    from app.record.campaigns.campaign import left_open, open_campaign
    from app.record.campaigns.problems import CampaignProblem
    from app.record.keys import KeysProblem
    from app.record.store.opening import record_now
    from app.record.store.problems import StoreError

    head = campaign.head(pack, CALLER)
    try:
        with record_now(settings(), _clock) as record:
            left = [] if wishes.anew else left_open(record, head)
            _check_brake(campaign, record, left)
            keep_pack(record, pack, folder_of(wishes.pack), now)
            with open_campaign(record, head, left[0].id if left else None) as opened:
                if left:
                    done = opened.standing.counts
                    err().print(f"going on with {opened.id}: {done.read:,} rows are on the record already", style="dim", soft_wrap=True)
                yield opened.at, Recording(opened, head)
    except (StoreError, KeysProblem, CampaignProblem) as error:
        fail(error)


def _check_brake(campaign: Ready, record: Record, left: Sequence[Standing]) -> None:
    """End the command where complaints stop the campaign before it begins. One that has decided some already is brought to its end."""
    if campaign.limits is None or campaign.limits.brake is None or (left and left[0].chunks):
        return
    from app.record.campaigns.campaign import reached

    found = reached(record, campaign.name)
    if campaign.limits.stopped(*found):
        told = complained(campaign.name, campaign.limits, found)
        fail(f"{told}; nothing was decided. Find out why before anybody else is contacted")


def _clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class _Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        """So far."""
        elapsed = task.finished_time if task.finished else task.elapsed
        return Text(f"{task.fields['rows'] / elapsed:,.0f} rows/s" if elapsed else "")


@contextlib.contextmanager
def _bar(size: int) -> Iterator[Callable[[Done], None]]:
    """A bar on standard error that follows how much of the input was read; only on a terminal."""
    console = err()
    columns = (TextColumn("{task.fields[rows]:,} rows"), BarColumn(), TaskProgressColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=size, rows=0)
        yield lambda done: bar.update(task, completed=done.consumed, rows=done.rows)


def _before(path: Path | None) -> Report | None:
    """The report of the last run, where there is one under the same name."""
    kept = None if path is None else path.with_suffix(".json")
    if kept is None or not kept.is_file():
        return None
    try:
        return report_of(orjson.loads(kept.read_bytes()))
    except ValueError:
        raise TableError(f"`{kept}` is no report of a campaign; name another file with --report") from None


def _show(report: Report, pack: Pack, campaign: Ready, lists: Sequence[Path], wishes: Wishes) -> None:
    language, output = campaign.wanted.language, campaign.wanted.output
    telling = Telling(language, pack.currency, titles_for(pack, language), lambda why: reason(why, language, pack.currency))
    data: Any = as_json(report)
    if wishes.report is not None:
        wishes.report.with_suffix(".html").write_text(as_html(report, telling), "utf-8")
        wishes.report.with_suffix(".json").write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2))
    if wishes.as_json:
        write_json(data)
        return
    console = out()
    for part in report_parts(report, telling):
        console.print(part)
    files = [output.path, *([output.rejects] if report.figures.rejected else []), *lists]
    console.print("\n" + "\n".join(map(str, files)), style="dim", soft_wrap=True)


def propose_mapping(source: Path, out_path: Path | None, channel: str, pack_folder: Path | None) -> None:
    """Propose a mapping for a file, and say on standard error what could not be placed."""
    from app.campaign.input import propose, samples

    pack = load(pack_folder)
    with told():
        proposal = propose(samples(input_at(source), pack.zone), custom=own_facts(pack), channel=channel)
        if out_path is not None:
            out_path.write_text(proposal.text, "utf-8")
    if out_path is None:
        write_bytes(proposal.text.encode())
    console = err()
    placed, left = len(proposal.placed), len(proposal.unplaced)
    console.print(f"{placed} facts placed, {left} columns not; look the mapping over before it is used", style="dim", soft_wrap=True)
    for item in proposal.unplaced:
        console.print(f"  {item.column}: {item.why}", style="dim", markup=False, soft_wrap=True)
