"""Whether the person could be contacted: the day and the hour, consent, refusals, contact policy, a port-out; in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.engine.pack import Pack
from app.engine.spoken import spoken
from app.engine.terms import ANSWERS, CONSENTS, local_time, term, weekday
from app.engine.texts import Language, listed
from app.record.export.letter_style import Style
from app.record.reading.dossier import Dossier
from app.record.reading.knowing import Contactable, PolicyClause, PortOut


def permission_of(made: Dossier, pack: Pack | None, language: Language) -> Permission | None:
    """What a decision on record says of it; none where it cannot be worked out any more."""
    if made.contact is None or made.port_out is None:
        return None
    return Permission(Style(language), made.contact, made.port_out, pack, came=made.envelope["body"].get("direction") == "inbound")


@dataclass(frozen=True, slots=True)
class Permission:
    """What is told of one contact. `came`: the person came to us."""

    style: Style
    contact: Contactable
    port: PortOut
    pack: Pack | None
    came: bool

    def at(self, time: Any) -> str:
        """A time in the zone of the contact."""
        ahead = self.contact.local_time.utcoffset()
        return local_time(time, int(ahead.total_seconds()) // 60 if ahead is not None else 0, self.style.language)

    def moment(self) -> str:
        """When the contact was to be: the time, the day of the week, whether a public holiday."""
        free = self.style.say("holiday" if self.contact.holiday else "working day")
        return self.style.beside(self.at(self.contact.local_time), weekday(self.contact.weekday, self.style.language), free)

    def consent(self) -> str:
        """To what the person agreed."""
        told = [
            self.style.named(term(CONSENTS, name, self.style.language), self._agreed(value))
            for name, value in self.contact.consent.items()
            if value is not None and name != "as_of"
        ]
        return self.style.join(told) or self.style.say("no consent")

    def refusals(self) -> list[str]:
        """What they had refused in the contacts that were known."""
        return [*self._refusals()]

    def hours(self) -> str:
        """Whether the hours at which one may be contacted were kept, by each clause that looks at the time of day."""
        about = _about_hours(self.pack)
        looking = [clause for clause in self.clauses() if (clause.gate, clause.clause) in about]
        if self.came and not any(map(closed, looking)):
            return self.style.say("they came")
        return self.style.join([self._hour(clause) for clause in looking]) or self.style.say("no hours")

    def clauses(self) -> list[PolicyClause]:
        """Every clause of contact policy and guardrails that was asked about an action."""
        return [clause for clause in self.contact.clauses if clause.permitted or closed(clause)]

    def policy(self) -> str:
        """What contact policy and guardrails kept out, of how many clauses."""
        clauses, style = self.clauses(), self.style
        kept = [style.say("kept out", clause.title, style.actions(closed(clause))) for clause in clauses if closed(clause)]
        return style.say("some kept", len(clauses), style.join(kept)) if kept else style.say("all kept", len(clauses))

    def port_out(self) -> str:
        """Whether a port-out was under way, and how far."""
        state = spoken(self.port.state, self.style.language) if self.port.state not in (None, "none") else ""
        return self.style.enclosed(self.style.say(f"port {self.port.in_progress}"), self.style.beside(state or "", self.port.last_on or ""))

    def _refusals(self) -> Iterator[str]:
        for row in self.contact.refusals:
            channel = spoken(row["channel"], self.style.language) if row.get("channel") else ""
            action = row.get("action") or ""
            found = self.pack.by_id.get(action) if self.pack is not None else None
            yield self.style.beside(self.at(row["at"]), channel, found.title.say(self.style.language) if found is not None else action)

    def _agreed(self, value: object) -> str:
        if isinstance(value, bool):
            return self.style.say("flag yes" if value else "flag no")
        if isinstance(value, list):
            return listed([spoken(channel, self.style.language) for channel in value], self.style.language) or self.style.say("nobody")
        return term(ANSWERS, str(value), self.style.language)

    def _hour(self, clause: PolicyClause) -> str:
        out = closed(clause)
        return self.style.say("not kept", clause.title, self.style.actions(out)) if out else self.style.say("kept", clause.title)


def closed(clause: PolicyClause) -> int:
    """How many actions a clause kept out: it was false, or not known."""
    return clause.kept_out + clause.unknown


def _about_hours(pack: Pack | None) -> set[tuple[str, str]]:
    """Clauses of contact policy and guardrails that look at the time of day, by gate and name."""
    actions: Sequence[Any] = pack.actions if pack is not None else ()
    clauses = (clause for action in actions for clause in (*action.contact, *action.guardrails))
    return {(clause.gate, clause.name) for clause in clauses if "clock.time" in clause.test}
