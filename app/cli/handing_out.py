"""`wanliu record access` and `complaint`: what a person asks for, and what answers a complaint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from app.cli.console import fail, out, write_json
from app.cli.store import library, the_record, who
from app.engine.spoken import spoken
from app.engine.terms import CONSENTS, OUTCOMES, local_time, term
from app.engine.texts import Language, language_of
from app.record.export.plain_words import CHOICES
from app.record.export.refusals import CHANNEL

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.record.export.access import Held
    from app.record.export.refusals import Refusal

ROLE = "compliance"
_words: Mapping[str, tuple[str, str]] = {
    "title": ("What is held about you", "本公司留存的您的信息"),
    "since": ("Known since {0}", "最早记录：{0}"),
    "held": ("Kept for a legal reason since {0}: {1}", "自{0}起依法保留，原因：{1}"),
    "decisions": ("Decisions", "决策记录"),
    "contacts": ("Contacts", "触达记录"),
    "refused": ("What you refused", "您拒绝过的事项"),
    "chosen": ("What you chose until you take it back", "您作出的选择（撤回前一直有效）"),
    "events": ("What other systems are still to be told of", "尚待通知其他系统的事项"),
    "event": ("{0}, to {1}, since {2}", "{0}，发往{1}，自{2}起"),
    "nothing": ("nothing", "无"),
    "said": ("{0}: since {1}", "{0}：自{1}起"),
    "said often": ("{0}: since {1}, in {2} contacts", "{0}：自{1}起，共{2}次触达"),
    "seen": ("{0}: first seen on record on {1}; when you said so was not passed on", "{0}：记录中首见于{1}，具体拒绝时间未提供"),
    "channel": ("any contact by {0}", "通过{0}触达"),
    "use": ("use of your data: {0}", "信息使用：{0}"),
    "on": ("{0}, by {1}", "{0}（{1}）"),
    "campaign": ("a campaign", "营销活动"),
    "others": (
        "{0} on record besides (outcomes, who looked at your data). --json prints all of it, and what was known each time.",
        "另有{0}（结果反馈、查阅记录等）；--json可输出全部内容及每次决策时掌握的信息。",
    ),
    "1 entry": ("1 other entry is", "1条其他记录"),
    "entries": ("{0} other entries are", "{0}条其他记录"),
    "written 1": ("1 record with what it rests on: {0}", "已写出1条记录及其依据：{0}"),
    "written": ("{1} records with what they rest on: {0}", "已写出{1}条记录及其依据：{0}"),
    "read": ("Read answer.md; verify.py in it proves the rest.", "答复正文见 answer.md，可用其中的 verify.py 核验。"),
}

_told_of: Mapping[str, tuple[str, str]] = {
    "wanliu.outcome.v1": ("what became of a suggestion", "建议的处理结果"),
    "wanliu.promise.v1": ("a promise to keep", "待兑现的承诺"),
    "wanliu.call_back.v1": ("a call back to you", "待回访"),
    "wanliu.escalation.v1": ("a matter that somebody else takes over", "升级处理"),
    "": ("a decision", "一项决策"),
}
"""Events by their type, as the person reads them."""


def access(subscriber: str, locale: str, by: str | None, *, as_json: bool) -> None:
    """Print everything that is held about a subscriber."""
    from app.record.export.sharing import give_access
    from app.record.persons import NobodyKnown

    with the_record() as record:
        try:
            held = give_access(record, library(record), subscriber, caller=who(by), role=ROLE, locale=locale)
        except NobodyKnown as error:
            fail(error)
    if as_json:
        write_json(held.as_json())
        return
    console = out()
    for part in HeldPage(held, language_of(locale)).parts():
        console.print(part)


def complaint(decisions: Sequence[str], target: Path, locale: str, by: str | None) -> None:
    """Write the answer file for a complaint."""
    from app.record.export.bundling import BundleProblem
    from app.record.export.complaint import NoSuchDecision, SeveralPersons
    from app.record.export.exporting import NothingSealed
    from app.record.export.sharing import give_answer
    from app.record.log.sealer import Sealer
    from app.record.packs.library import DamagedPack

    language = language_of(locale)
    with the_record() as record:
        Sealer(record.database, record.keys, record.clock).seal()
        try:
            made = give_answer(record, library(record), decisions, target, caller=who(by), role=ROLE, locale=locale)
        except (NoSuchDecision, SeveralPersons, NothingSealed, BundleProblem, DamagedPack) as error:
            fail(error)
    written = _say("written 1" if made.records == 1 else "written", language, target, f"{made.records:,}")
    out().print(written, markup=False, soft_wrap=True)
    out().print(_say("read", language))


@dataclass(frozen=True, slots=True)
class HeldPage:
    """What is held about a person, on its way to the terminal."""

    held: Held
    language: Language

    def parts(self) -> Iterator[RenderableType]:
        """Everything, from top to bottom."""
        held = self.held
        yield Text(self._say("title"), style="bold")
        yield Text(self._say("since", self._at(held.person.since)))
        if held.person.hold and held.person.hold_since:
            yield Text(self._say("held", self._at(held.person.hold_since), held.person.hold))
        yield Text(f"\n{self._say('decisions')}", style="bold")
        for decision in held.decisions:
            yield Text(f"\n{self._at(decision.at)}  {decision.id}", style="dim")
            yield from map(Text, decision.words or [decision.why or ""])
        yield from self._listed("contacts", [*self._contacts()])
        yield from self._listed("refused", [self._refusal(item) for item in held.refusals])
        yield from self._listed("chosen", [self._choice(item) for item in held.choices])
        if held.events:
            yield from self._listed("events", [self._event(item) for item in held.events])
        count = len(held.others)
        yield Text(f"\n{self._say('others', self._say('1 entry') if count == 1 else self._say('entries', f'{count:,}'))}", style="dim")

    def _say(self, name: str, *given: object) -> str:
        return _say(name, self.language, *given)

    def _at(self, time: str) -> str:
        return time if len(time) == len("2026-11-22") else local_time(time, self.held.offset, self.language)

    def _listed(self, title: str, lines: Sequence[str]) -> Iterator[RenderableType]:
        yield Text(f"\n{self._say(title)}", style="bold")
        yield from map(Text, lines or [self._say("nothing")])

    def _contacts(self) -> Iterator[str]:
        for row in self.held.contacts:
            what = self._title(row["action"]) if row["action"] else self._say("campaign")
            ended = term(OUTCOMES, row["result"], self.language)
            yield "  ".join(filter(None, (self._at(row["at"]), spoken(row["channel"], self.language), what, ended)))

    def _title(self, action: str) -> str:
        return self.held.titles.get(action, action)

    def _refusal(self, item: Refusal) -> str:
        at = self._at(item.since)
        if item.first_seen:
            return self._say("seen", self._what(item), at)
        return self._say("said often" if item.times > 1 else "said", self._what(item), at, item.times)

    def _choice(self, item: Mapping[str, Any]) -> str:
        about = item.get("about") or ""
        named = spoken(about, self.language) if item["choice"] == "no_channel" else self._title(about)
        words = CHOICES[item["choice"]][self.language == "zh"].format(about=named)
        return self._say("said", words, self._at(item["since"]), 1)

    def _event(self, item: Mapping[str, Any]) -> str:
        what = _told_of.get(item["type"], _told_of[""])[self.language == "zh"]
        return self._say("event", what, item["to"], self._at(item["since"]))

    def _what(self, item: Refusal) -> str:
        if item.what.startswith(CHANNEL):
            return self._say("channel", spoken(item.what.removeprefix(CHANNEL), self.language))
        if item.what in CONSENTS:
            return self._say("use", term(CONSENTS, item.what, self.language))
        title = self._title(item.what)
        return self._say("on", title, spoken(item.channel, self.language)) if item.channel else title


def _say(name: str, language: Language, *given: object) -> str:
    return _words[name][language == "zh"].format(*given)
