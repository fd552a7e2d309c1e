"""The letter that answers a complaint: each decision told to a regulator, in Chinese or English, as `answer.md` of a bundle."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.engine.answer import ActionAnswer, Explanation
from app.engine.pack import Pack
from app.engine.spoken import spoken
from app.engine.terms import CAUSES, DIRECTIONS, EMPTY, OUTCOMES, ROLES, STEPS, local_time, term
from app.engine.texts import Language, listed, shown
from app.record.export.letter_style import Style
from app.record.export.letter_words import CONFIRMED
from app.record.export.permission import Permission, permission_of
from app.record.export.retelling import Retold
from app.record.export.words import ELSEWHERE, by_cause, section_title
from app.record.reading.afterwards import Answered
from app.record.reading.dossier import Dossier
from app.record.reading.knowing import Section


@dataclass(frozen=True, slots=True)
class Chapter:
    """One decision of a letter.

    Attributes:
        made: everything about it.
        told: its words; or why there are none.
        pack: that decided; none where it cannot be run any more.
        offset: minutes that the contact's zone is ahead of UTC.
    """

    made: Dossier
    told: Retold | str
    pack: Pack | None
    offset: int


def letter(chapters: Sequence[Chapter], origin: str, now: datetime.datetime, language: Language) -> str:
    """The letter as Markdown.

    Args:
        chapters: a decision each, oldest first.
        origin: name of the log.
        now: when it is issued.
        language: of the letter.
    """
    style = Style(language)
    count = style.say("1 decision") if len(chapters) == 1 else style.say("decisions", len(chapters))
    issued = style.point("issued", local_time(now, chapters[-1].offset, language))
    lines = [f"# {style.say('title')}", "", issued, style.point("log", origin), "", style.say("about", count), ""]
    return "\n".join([*lines, *(line for chapter in chapters for line in _Page(style, chapter).lines())])


@dataclass(frozen=True, slots=True)
class _Page:
    style: Style
    chapter: Chapter

    @property
    def language(self) -> Language:
        return self.style.language

    def lines(self) -> Iterator[str]:
        told, say = self.chapter.told, self.style.say
        yield from (f"## {self.style.say('decision', self.chapter.made.id)}", "", *self.head(), "")
        if isinstance(told, str):
            yield from (told, "", *self.sealed())
        else:
            yield from self.in_words(told)
        yield from (f"### {say('afterwards')}", "", *self.afterwards(self.chapter.made.outcomes), "")

    def in_words(self, told: Retold) -> Iterator[str]:
        made, say, words = self.chapter.made, self.style.say, told.explanation
        if (asked := permission_of(made, self.chapter.pack, self.language)) is not None:
            yield from (f"### {say('permission')}", "", *self.permission(asked), "")
        yield from (f"### {say('known')}", "", *self.known(made.known or (), words), "")
        if not self.as_sealed(words):
            yield from (say("changed"), "", *self.sealed())
            return
        if made.working is not None and not made.working.faithful:
            yield from (say("otherwise"), "")
        yield from (f"### {say('why')}", "", *self.finding(words), "")
        yield from (f"### {say('offered')}", "", *self.offered(words, told.pack), "")
        yield from (f"### {say('not offered')}", "", *self.not_offered(words), "")

    def as_sealed(self, words: Explanation) -> bool:
        """Whether the list that was worked out again is the one on record."""
        listed_then = [(item["action"], item.get("tariff")) for item in self.chapter.made.envelope["body"]["offered"]]
        return [(item.action, item.tariff.id if item.tariff else None) for item in words.actions] == listed_then

    def at(self, time: str | datetime.datetime | None) -> str:
        return local_time(time, self.chapter.offset, self.language) if time else ""

    def title(self, action: str) -> str:
        pack = self.chapter.pack
        found = pack.by_id.get(action) if pack is not None else None
        return found.title.say(self.language) if found is not None else action

    def head(self) -> Iterator[str]:
        made, body, style = self.chapter.made, self.chapter.made.envelope["body"], self.style
        role, agent = term(ROLES, body["role"], self.language), body.get("agent")
        asked = style.enclosed(body["caller"], f"{role} {agent}" if agent else role)
        channel = style.enclosed(spoken(body["channel"], self.language), term(DIRECTIONS, body.get("direction"), self.language))
        rules = " ".join(filter(None, (made.pack.name, made.pack.version)))
        yield from style.table("item", "fact")
        yield style.row(style.say("at"), self.at(made.at))
        if (told := permission_of(made, self.chapter.pack, self.language)) is not None:
            yield style.row(style.say("contact at"), told.moment())
        yield style.row(style.say("channel"), channel)
        yield style.row(style.say("asked"), asked)
        yield style.row(style.say("stage"), " / ".join(self.placed(body["stage"], body["phase"])))
        yield style.row(style.say("rules"), style.enclosed(rules, made.pack.digest) if rules else made.pack.digest)
        yield style.row(style.say("steps"), style.join([*self.steps()]) or style.say("no steps"))
        yield style.row(style.say("sealed"), self.proof())

    def placed(self, stage: str, phase: str) -> list[str]:
        pack = self.chapter.pack
        titles = [pack.stage_by_id.get(stage), pack.phase_by_id.get(phase)] if pack is not None else [None, None]
        return [found.title.say(self.language) if found is not None else code for found, code in zip(titles, (stage, phase), strict=True)]

    def steps(self) -> Iterator[str]:
        """What was done with the pack before it decided."""
        for step in self.chapter.made.pack.steps:
            at, kind, begins = str(step["at"]), str(step["step"]), step["effective_at"]
            if at > self.chapter.made.at:
                return
            ahead = kind == "activated" and begins is not None and begins > at
            what = term(STEPS, "scheduled" if ahead else kind, self.language)
            told = self.style.say("step", what, step["by"], self.at(at))
            yield self.style.beside(told, self.style.say("from", self.at(begins)) if ahead else "")

    def proof(self) -> str:
        proof = self.chapter.made.proof
        if proof.leaf is None:
            return self.style.say("unsealed")
        return self.style.say("leaf", proof.leaf, proof.checkpoint_size, self.at(proof.checkpoint_at))

    def permission(self, told: Permission) -> Iterator[str]:
        style, refusals = self.style, told.refusals()
        yield from style.table("item", "fact")
        yield style.row(style.say("consent"), told.consent())
        if refusals:
            yield style.row(style.say("refusals"), style.join(refusals))
        yield style.row(style.say("hours"), told.hours())
        yield style.row(style.say("policy"), told.policy())
        yield style.row(style.say("port"), told.port_out())

    def known(self, sections: Sequence[Section], explanation: Explanation) -> Iterator[str]:
        told = [self.style.enclosed(section_title(item.section, self.language), self.age(item.age_days)) for item in sections]
        yield self.style.sentence(listed(told, self.language))
        for name, too_old in (("too old", True), ("missing", False)):
            titles = [fact.title for fact in explanation.unknown if (fact.why == "too_old") == too_old]
            if titles:
                yield from ("", self.style.say(name, listed(titles, self.language)))

    def age(self, days: int) -> str:
        return self.style.say("same day") if days == 0 else self.style.say("day old") if days == 1 else self.style.say("days old", days)

    def finding(self, explanation: Explanation) -> Iterator[str]:
        phase = explanation.phase
        yield f"- {self.style.say('phase', phase.title, self.style.run(reason.text for reason in phase.reasons)).strip()}"
        for signal in explanation.signals:
            yield f"- {self.style.named(signal.title, signal.text)}"

    def offered(self, explanation: Explanation, pack: Pack) -> Iterator[str]:
        for action in explanation.actions:
            yield f"{action.rank}. **{action.title}**"
            yield from (f"   {line}" for line in self.terms(action, pack))
        if not explanation.actions:
            yield self.style.say("nothing", term(EMPTY, explanation.empty_because, self.language))

    def terms(self, action: ActionAnswer, pack: Pack) -> Iterator[str]:
        point, tariff = self.style.point, action.tariff
        if words := action.script or action.text:
            yield point("words", words)
        if tariff is not None:
            fee = shown(tariff.fee, "money", self.language, pack.currency)
            yield point("tariff", self.style.say("tariff is", tariff.name, fee, tariff.filing_no))
        if action.concession:
            yield point("concession", shown(action.concession, "money", self.language, pack.currency))
        yield point("confirm", term(CONFIRMED, action.confirm, self.language))
        if action.reasons:
            yield point("because", self.style.run(reason.text for reason in action.reasons))

    def not_offered(self, explanation: Explanation) -> Iterator[str]:
        items = explanation.not_offered or ()
        near = by_cause(items)
        for cause, found in near.items():
            yield self.style.heading(term(CAUSES, cause, self.language))
            if cause == "not_applicable":
                yield f"  - {listed([item.title for item in found], self.language)}"
                continue
            yield from (f"  - {self.style.enclosed(item.title, item.text.strip().rstrip('。.'))}" for item in found)
        if rest := len(items) - sum(map(len, near.values())):
            yield from ("", self.style.say("elsewhere", rest))

    def sealed(self) -> Iterator[str]:
        """What the envelope says of the actions: codes, with their titles where the pack can be had."""
        body, say = self.chapter.made.envelope["body"], self.style.say
        offered = [f"{item['rank']}. {self.title(item['action'])}" for item in body["offered"]]
        yield from (f"### {say('offered')}", "")
        yield from offered or [say("nothing", term(EMPTY, body.get("empty_because"), self.language))]
        yield from ("", f"### {say('not offered')}", "")
        for cause, clauses in body["outcomes"].items():
            titles = [self.title(action) for clause, actions in clauses.items() if clause not in ELSEWHERE for action in actions]
            if titles:
                yield from (self.style.heading(term(CAUSES, cause, self.language)), f"  - {listed(titles, self.language)}")
        if rest := sum(len(actions) for clauses in body["outcomes"].values() for name, actions in clauses.items() if name in ELSEWHERE):
            yield from ("", say("elsewhere", rest))
        yield ""

    def afterwards(self, outcomes: Sequence[Answered]) -> Iterator[str]:
        if not outcomes:
            yield self.style.say("none told")
            return
        yield from self.style.table("time", "action", "outcome", "reference", "reason", "by")
        for item in outcomes:
            outcome = term(OUTCOMES, item.outcome, self.language)
            reason = spoken(item.reason, self.language) if item.reason else ""
            yield self.style.row(self.at(item.at), self.title(item.action), outcome, item.confirmed_by or "", reason, item.agent or "")
