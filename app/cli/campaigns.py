"""`wanliu campaign run` and `wanliu campaign map`."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.campaign.input import batches, input_at
from app.campaign.mapping import ColumnMapping, load_mapping
from app.campaign.output import Output
from app.campaign.problems import TableError
from app.campaign.report import Report, Run, Telling, as_html, as_json, report_of, titles_for
from app.campaign.running import Recording, Wanted, run_campaign
from app.campaign.table import Asking
from app.cli.campaign_report import report_parts
from app.cli.console import err, fail, out, write_bytes, write_json
from app.cli.packs import folder_of, load, settings
from app.cli.refusal_words import reason
from app.cli.tables import own_facts, told
from app.engine.problems import nearest
from app.engine.texts import language_of
from app.engine.vocabulary import FACTS

if TYPE_CHECKING:
    from rich.progress import Task

    from app.campaign.input import Input
    from app.campaign.output import Layout
    from app.campaign.running import Progress as Done
    from app.engine.pack import Pack
    from app.engine.texts import Language

CALLER = "cli"
"""What the record calls whoever uses the command line."""
_CHANNELS = FACTS["request.channel"].values


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a campaign is to be run: the options of the command."""

    mapping: Path | None
    channel: str | None
    contact_at: str | None
    name: str | None
    per: Layout
    report: Path | None
    what_if: bool
    anew: bool
    size: int
    locale: str | None
    as_json: bool
    pack: Path | None


def run(source: Path, out_path: Path, wishes: Wishes) -> None:
    """Decide for everybody in a file, then print the report."""
    began = perf_counter()
    pack = load(wishes.pack)
    with told():
        given = input_at(source)
        mapping = load_mapping(wishes.mapping, own_facts(pack)) if wishes.mapping else None
        output = Output.at(out_path)
        asking = _asking(wishes, mapping)
        before = _before(wishes.report)
        with _recorded(pack, given, mapping, asking, wishes) as (asking, recording):
            wanted = Wanted(output, wishes.per, language_of(asking.locale or "zh-CN"))
            parts = batches(pack, given, asking, mapping, size=wishes.size)
            with _bar(given.size) as follow:
                figures = run_campaign(pack, parts, wanted, recording, told=follow)
        name = _name(wishes, source)
        started = asking.now.astimezone(ZoneInfo(pack.zone))
        made = Run(name, f"{pack.name} {pack.version}", pack.digest, source.name, asking.channel, started, perf_counter() - began)
        earlier = before if before is not None and before.run.campaign == name else None
        _show(Report(made, figures, earlier), pack, wanted.language, output, wishes)


def _name(wishes: Wishes, source: Path) -> str:
    return wishes.name or source.stem


def _asking(wishes: Wishes, mapping: ColumnMapping | None) -> Asking:
    """Who asks, when, and where the subscribers are met."""
    request = mapping.document.request if mapping else {}
    channel = wishes.channel or request.get("channel")
    if channel is None:
        fail("say on which channel the subscribers are to be met: --channel sms_marketing, for instance")
    if channel not in _CHANNELS:
        fail(f"--channel: there is no channel `{channel}`; {nearest(channel, _CHANNELS) or 'expected one of ' + ', '.join(_CHANNELS)}")
    if mapping is not None and mapping.as_of is not None and not wishes.what_if:
        fail(
            "the mapping says as of when its facts hold, and a campaign on the record decides about now: leave `as_of` out, or try it with "
            "--what-if; `contact_at` says when people will be contacted"
        )
    now = _clock()
    locale = wishes.locale or request.get("locale", "zh-CN")
    contact_at = None if wishes.contact_at is None else _later(wishes.contact_at, now)
    return Asking("campaign", now, "what_if" if wishes.what_if else "live", channel, "summary", locale, contact_at)


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
def _recorded(
    pack: Pack, given: Input, mapping: ColumnMapping | None, asking: Asking, wishes: Wishes
) -> Iterator[tuple[Asking, Recording | None]]:
    """The run on the record, and the time that all its decisions have; one of the same that was left unfinished is gone on with."""
    if wishes.what_if:
        yield asking, None
        return
    from app.cli.recording import keep_pack
    from app.record import StoreError
    from app.record.campaigns.campaign import left_open, open_campaign
    from app.record.campaigns.model import CampaignHead
    from app.record.campaigns.problems import CampaignProblem
    from app.record.keys import KeysProblem
    from app.record.store.opening import record_now

    head = CampaignHead(
        name=_name(wishes, given.path),
        channel=asking.channel or "",
        pack=pack.digest,
        input=f"sha256:{given.digest()}",
        caller=CALLER,
        mapping=None if mapping is None or wishes.mapping is None else f"sha256:{hashlib.sha256(wishes.mapping.read_bytes()).hexdigest()}",
        locale=asking.locale or "zh-CN",
        options={"per": wishes.per, "size": wishes.size, **({"contact_at": wishes.contact_at} if wishes.contact_at else {})},
    )
    try:
        with record_now(settings(), _clock) as record:
            keep_pack(record, pack, folder_of(wishes.pack), asking.now)
            left = [] if wishes.anew else left_open(record, head)
            with open_campaign(record, head, left[0].id if left else None) as campaign:
                if left:
                    done = campaign.standing.counts
                    err().print(f"going on with {campaign.id}: {done.read:,} rows are on the record already", style="dim", soft_wrap=True)
                yield replace(asking, now=campaign.at), Recording(campaign, head)
    except (StoreError, KeysProblem, CampaignProblem) as error:
        fail(error)


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


def _show(report: Report, pack: Pack, language: Language, output: Output, wishes: Wishes) -> None:
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
    console.print(f"\n{output.path}" + (f"\n{output.rejects}" if report.figures.rejected else ""), style="dim", soft_wrap=True)


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
