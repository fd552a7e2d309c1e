"""A decision on record as a page for a terminal: everything about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from app.campaign.report.words import cause as why_held
from app.cli.columns import Columns, table
from app.cli.record_reasons import action_title, order_table
from app.cli.record_words import beside, enclosed, named, say
from app.engine.spoken import spoken
from app.engine.terms import CAUSES, DIRECTIONS, DUTIES, KEYS, OUTCOMES, ROLES, STEPS, local_time, term
from app.engine.texts import Language, listed, shown
from app.engine.words import fact_title
from app.record.export.permission import closed, permission_of
from app.record.export.words import ELSEWHERE, section_title
from app.record.packs.history import shortened

if TYPE_CHECKING:
    from app.engine.pack import Pack
    from app.record.campaigns.within import WithinLimits
    from app.record.reading.dossier import Dossier
    from app.record.reading.knowing import PolicyClause
    from app.record.reading.working import Considered


@dataclass(frozen=True, slots=True)
class DossierPage:
    """One decision on its way to the terminal; without its pack some words are codes."""

    dossier: Dossier
    pack: Pack | None
    language: Language

    def render(self) -> RenderableType:
        """Everything, from top to bottom."""
        return Group(*self._parts())

    def _say(self, name: str, *given: object) -> str:
        return say(name, self.language, *given)

    def _titled(self, name: str, rows: Columns) -> RenderableType:
        return Group(Text(f"\n{self._say(name)}", style="bold"), rows)

    def _at(self, time: Any) -> str:
        contact = self.dossier.contact
        ahead = contact.local_time.utcoffset() if contact is not None else None
        return local_time(time, int(ahead.total_seconds()) // 60 if ahead is not None else 0, self.language)

    def _title(self, action: str) -> str:
        """The action's title with its code, by which a search finds it."""
        title = action_title(action, self.pack, self.language)
        return title if title == action else enclosed(title, action, self.language)

    def _parts(self) -> Iterator[RenderableType]:
        made = self.dossier
        yield self._head()
        if made.state == "erased":
            yield Text(f"\n{self._say('erased')}", style="yellow")
            yield self._envelope()
        elif made.why_not_worked_out:
            yield Text(f"\n{made.why_not_worked_out}", style="yellow")
            yield self._envelope()
        if made.known is not None:
            yield self._known()
        yield from self._contact()
        if made.working is not None:
            yield self._considered(made.working.considered)
            if made.working.order:
                yield order_table(made.working.order, self.pack, self.language)
        if made.limits:
            yield self._limits(made.limits)
        if made.conversation.before or made.conversation.after:
            yield self._conversation()
        if made.outcomes:
            yield self._outcomes()
        yield self._proof()

    def _head(self) -> RenderableType:
        made, body = self.dossier, self.dossier.envelope["body"]
        role = beside(term(ROLES, body["role"], self.language), body.get("agent") or "", language=self.language)
        asked = enclosed(body["caller"], role, self.language)
        came = [spoken(body[name], self.language) for name in ("channel", "reason") if body.get(name)]
        came.insert(1, term(DIRECTIONS, body.get("direction"), self.language))
        name = " ".join(filter(None, (made.pack.name, made.pack.version, shortened(made.pack.digest))))
        faithful = self._say("same answer" if made.working.faithful else "other answer") if made.working else ""
        lines = [
            Text(made.id, style="bold"),
            Text("  ·  ".join((self._at(made.at), f"{self._say('asked')} {asked}", *filter(None, came)))),
            Text("  ·  ".join(self._placed(body["stage"], body["phase"], body["moment"]))),
            Text(f"{self._say('pack')} {name}", style="dim"),
            *(Text(f"  {line}", style="dim") for line in self._steps()),
            Text("  ·  ".join(filter(None, (self._say("engine", body["engine"]), faithful))), style="dim"),
        ]
        if made.idempotency_key:
            lines.append(Text(self._say("key", made.idempotency_key), style="dim"))
        if body.get("trace"):
            lines.append(Text(self._say("trace", body["trace"]), style="dim"))
        return Group(*lines)

    def _placed(self, stage: str, phase: str, moment: str) -> Iterator[str]:
        pack = self.pack
        known: tuple[Mapping[str, Any], ...] = (pack.stage_by_id, pack.phase_by_id, pack.moments) if pack is not None else ({}, {}, {})
        for found, code in zip(known, (stage, phase, moment), strict=True):
            if code and code != "none":
                yield found[code].title.say(self.language) if code in found else code

    def _steps(self) -> Iterator[str]:
        """What was done with the pack, with the time of those that hold from later on."""
        for step in self.dossier.pack.steps:
            at, begins = str(step["at"]), step["effective_at"]
            ahead = step["step"] == "activated" and begins is not None and begins > at
            kind = term(STEPS, "scheduled" if ahead else step["step"], self.language)
            told = self._say("step", kind, self._at(at), step["by"])
            yield told + (self._say("from", self._at(begins)) if ahead else "")

    def _envelope(self) -> RenderableType:
        """What the envelope says."""
        body = self.dossier.envelope["body"]
        rows = table("", self._say("action"), self._say("became"), self._say("why"))
        for item in body["offered"]:
            rows.add_row(self._title(item["action"]), f"#{item['rank']}", item.get("tariff", ""))
        for cause, clauses in body["outcomes"].items():
            for clause, actions in clauses.items():
                titles = listed([action_title(name, self.pack, self.language) for name in actions], self.language)
                rows.add_row(titles, term(CAUSES, cause, self.language), term(KEYS, clause, "zh") if self.language == "zh" else clause)
        return rows

    def _known(self) -> RenderableType:
        names = ("section", "as of", "age", "limit", "facts", "too old")
        rows = table("", *map(self._say, names), right=(2, 3, 4))
        for item in self.dossier.known or ():
            limit = "" if item.limit_days is None else str(item.limit_days)
            too_old = [fact_title(self.pack, name, self.language) if self.pack else name for name in item.too_old]
            title = section_title(item.section, self.language)
            rows.add_row(title, self._at(item.as_of), str(item.age_days), limit, str(item.facts), listed(too_old, self.language))
        return self._titled("known", rows)

    def _contact(self) -> Iterator[RenderableType]:
        told = permission_of(self.dossier, self.pack, self.language)
        if told is None:
            return
        grid = table("", "", "")
        grid.show_header = False
        grid.add_row(self._say("local time"), told.moment())
        grid.add_row(self._say("hours"), told.hours())
        grid.add_row(self._say("consent"), told.consent())
        for refusal in told.refusals():
            grid.add_row(self._say("refusals"), refusal)
        grid.add_row(self._say("port-out"), told.port_out())
        yield self._titled("contact", grid)
        yield from self._policy(told.clauses())

    def _policy(self, clauses: Sequence[PolicyClause]) -> Iterator[RenderableType]:
        """Every clause that was asked: those that kept something out by themselves, the others together."""
        opened = list(dict.fromkeys(item.title for item in clauses if not closed(item)))
        yield Text(f"\n{self._say('policy')}", style="bold")
        if any(map(closed, clauses)):
            rows = table("", *map(self._say, ("clause", "permitted", "kept out", "unknown")), right=(1, 2, 3))
            for item in filter(closed, clauses):
                title = enclosed(item.title, f"{item.gate}.{item.clause}", self.language)
                rows.add_row(title, *(f"{count or ''}" for count in (item.permitted, item.kept_out, item.unknown)))
            yield rows
        if opened:
            yield Text(named(self._say("all permitted", len(opened)), listed(opened, self.language), self.language))
        if not clauses:
            yield Text(self._say("no clauses"), style="dim")

    def _considered(self, items: Sequence[Considered]) -> RenderableType:
        rows = table("", *map(self._say, ("action", "became", "why")))
        near = [item for item in items if item.clause not in ELSEWHERE]
        for item in near:
            rows.add_row(self._title(item.action), self._became(item), self._because(item))
        if len(near) < len(items):
            rows.add_row(f"+ {len(items) - len(near)}", term(CAUSES, "not_applicable", self.language), self._say("elsewhere"), style="dim")
        return self._titled("considered", rows)

    def _became(self, item: Considered) -> str:
        return f"#{item.rank}" if item.rank is not None else term(CAUSES, item.cause, self.language)

    def _because(self, item: Considered) -> str:
        if item.rank is not None:
            terms = [term(DUTIES, item.duty, self.language), item.tariff, self._money(item.concession) if item.concession else None]
            return " · ".join(filter(None, terms))
        first = f"{item.gate}.{item.clause}" if item.gate else str(item.clause)
        rest = [self._clause(name) for name in item.failing if name != first]
        return self._clause(first) + self._lost(item) + (f" + {listed(rest, self.language)}" if rest else "")

    def _clause(self, name: str) -> str:
        """A clause by its title where it has one, with the name by which a search finds it."""
        gate, _, clause = name.rpartition(".")
        rules = {"contact": self.pack.contact_rules, "guardrail": self.pack.guardrail_rules}.get(gate) if self.pack else None
        if rules and clause in rules:
            return enclosed(rules[clause].title.say(self.language), name, self.language)
        return term(KEYS, name, self.language) if not gate else name

    def _lost(self, item: Considered) -> str:
        if not item.lost_to or item.behind is None:
            return ""
        behind = beside(f"→ {action_title(item.lost_to, self.pack, self.language)}", f"{item.behind:,.1f}", language=self.language)
        return f"（{behind}）" if self.language == "zh" else f" ({behind})"

    def _money(self, amount: float) -> str:
        return shown(amount, "money", self.language, self.pack.currency) if self.pack else f"{amount:,.0f}"

    def _limits(self, items: Sequence[WithinLimits]) -> RenderableType:
        """What limits over everybody in the campaign made of each action: when it goes out, or what holds it."""
        rows = table("", "", "")
        rows.show_header = False
        for item in items:
            held = item.cause and enclosed(why_held(item.cause, self.language), item.limit or "", self.language)
            rows.add_row(self._title(item.action), self._say("held", held) if held else self._say("goes out", item.day))
        return self._titled("limits", rows)

    def _conversation(self) -> RenderableType:
        """The decisions before and after in the same conversation, and what was refused or accepted by then."""
        rows = table("", "")
        rows.show_header = False
        settled = ((self.dossier.case or {}).get("conversation") or {}).get("settled", ())
        for decision_id in self.dossier.conversation.before:
            rows.add_row(self._say("before"), decision_id)
        for decision_id in self.dossier.conversation.after:
            rows.add_row(self._say("after"), decision_id)
        for item in settled:
            rows.add_row(term(OUTCOMES, "refused" if item["refused"] else "accepted", self.language), self._title(item["action"]))
        return self._titled("conversation", rows)

    def _outcomes(self) -> RenderableType:
        rows = table("", "", "", "", "")
        rows.show_header = False
        for item in self.dossier.outcomes:
            reason = spoken(item.reason, self.language) if item.reason else None
            confirmed = " ".join(filter(None, (item.agent, item.confirmed_by, reason)))
            rows.add_row(self._at(item.at), self._title(item.action), term(OUTCOMES, item.outcome, self.language), confirmed)
        return self._titled("outcomes", rows)

    def _proof(self) -> RenderableType:
        proof = self.dossier.proof
        sealed = proof.leaf is not None and proof.checkpoint_at is not None
        told = self._say("leaf", proof.leaf, proof.checkpoint_size, self._at(proof.checkpoint_at)) if sealed else self._say("waits")
        return Text(f"\n{named(self._say('proof'), told, self.language)}", style="dim")
