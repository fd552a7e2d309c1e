"""A decision in words: why this phase, why each action, why not the others, what would change it, what to ask."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any, Literal

from app.engine import words
from app.engine.answer import (
    ActionAnswer,
    Ask,
    Evidence,
    Explanation,
    NotOffered,
    NotStronger,
    PhaseAnswer,
    Reason,
    ScoreParts,
    SignalAnswer,
    TariffAnswer,
    UnknownFact,
)
from app.engine.asking import questions, titles_wanted, unknown_facts, waiting
from app.engine.case import Case
from app.engine.changes import Changes
from app.engine.decision import Decision, Failing, Outcome, Ranked
from app.engine.facts import Facts
from app.engine.gates import in_full
from app.engine.pack.model import Action, Clause, Pack
from app.engine.runtime import fee_on
from app.engine.signals import strongest
from app.engine.texts import Filler, Language, Text, language_of, listed
from app.engine.until import until

Detail = Literal["none", "summary", "full"]


def explain(
    pack: Pack, case: Case, decision: Decision, detail: Detail = "summary", *, evidence: bool = True, scores: bool = True
) -> Explanation:
    """Word a decision.

    Args:
        pack: the pack that decided.
        case: what it decided about.
        decision: the result.
        detail: `none` leaves reasons and evidence out, `full` adds every action that was not offered.
        evidence: whether reasons come with the values they rest on, which not every role sees.
        scores: whether actions come with how they were scored and how far they were behind, which not every role sees.
    """
    return _Explainer(pack, case, decision, detail, evidence, scores).run()


def explain_outcome(pack: Pack, case: Case, decision: Decision, outcome: Outcome) -> NotOffered:
    """Word why one action was not offered, and until when."""
    return _Explainer(pack, case, decision, "summary", evidence=False, scores=True).not_offered(outcome)


class _Explainer:
    """Words one decision in the case's language."""

    def __init__(self, pack: Pack, case: Case, decision: Decision, detail: Detail, evidence: bool, scores: bool) -> None:
        self.pack, self.case, self.detail, self.shows_evidence, self.shows_scores = pack, case, detail, evidence, scores
        self.decision = decision = in_full(pack, decision) if detail == "full" else decision
        self.language: Language = language_of(case.locale)
        self.values = decision.facts.values
        self.changes: dict[int, Changes] = {}
        self.signals: dict[str, SignalAnswer] = {}

    def run(self) -> Explanation:
        decision, pack = self.decision, self.pack
        silent = self.detail == "none"
        if not silent:
            self.signals = {name: self.signal(name, word, self.values) for name, word in decision.signals}
        stage = pack.stage_by_id[decision.stage.id]
        return Explanation(
            stage=stage.id,
            stage_title=stage.title.say(self.language),
            phase=self.phase(),
            moment=decision.moment,
            signals=[*self.signals.values()],
            actions=[self.action(item) for item in decision.ranked],
            not_offered=[self.not_offered(item) for item in decision.outcomes if item.cause] if self.detail == "full" else None,
            ask=[] if silent else self.ask(),
            unknown=[] if silent else self.unknown(),
            empty_because=decision.empty_because,
            personalised=decision.personalised,
        )

    def say(self, text: Text, values: list[Any], extra: Callable[[str], Any] | None = None) -> str:
        """A pack's text with its slots filled; `extra` gives what is said of the action and its tariff."""
        template = text.zh if self.language == "zh" else text.en
        if template.plain is not None:
            return template.plain
        pack = self.pack
        filler = pack.fillers.get(id(template))
        if filler is None:
            filler = pack.fillers[id(template)] = Filler(template, pack.slots, pack.constants, self.language, pack.currency)
        return filler.fill(values, extra)

    def phase(self) -> PhaseAnswer:
        placed = self.decision.phase
        rows = self.pack.phase_by_id
        row = rows[placed.id]
        silent = self.detail == "none"
        reasons = (
            []
            if silent
            else [self.clause_reason(f"{row.id}.{clause.name}", clause) for clause in row.clauses if clause.name in placed.because]
        )
        passed = []
        for item in placed.passed if not silent else ():
            other = rows[item.id]
            unknown = [step.clause for step in item.failing if step.unknown]
            because = (
                [words.evidence(self.values, clause) for clause in other.clauses] if self.detail == "full" and self.shows_evidence else None
            )
            passed.append(NotStronger(item.id, other.title.say(self.language), because, unknown))
        return PhaseAnswer(row.id, row.title.say(self.language), reasons, passed or None)

    def clause_reason(self, code: str, clause: Clause) -> Reason:
        """A clause that holds, by the signals it rests on, else by what it saw."""
        if clause.gate == "hands_off":
            rule = next(rule for rule in self.pack.hands_off if rule.clause.name == clause.name)
            return Reason(code, rule.title.say(self.language), None, self.evidence(self.values, clause))
        texts = [told.text for told in self.told(clause.signals, self.values)]
        text = " ".join(texts) if self.language == "en" else "".join(texts)
        return Reason(
            code, text or words.values_in_words(self.pack, self.values, clause, self.language), None, self.evidence(self.values, clause)
        )

    def told(self, names: Iterable[str], values: list[Any]) -> list[SignalAnswer]:
        """What is said of the signals of these names that hold; several parts of an answer rest on the same one."""
        if values is self.values:
            return [self.signals[name] for name in names if name in self.signals]
        levels = ((name, strongest(self.pack.signals[name], values)) for name in names)
        return [self.signal(name, level.name, values) for name, level in levels if level is not None]

    def signal(self, name: str, word: str, values: list[Any]) -> SignalAnswer:
        """A signal, with its reason, its wording for customers, and its evidence."""
        signal = self.pack.signals[name]
        customer = self.say(signal.customer, values) if signal.customer else None
        text, evidence = self.say(signal.reason, values), self.evidence(values, signal.at[word])
        return SignalAnswer(name, signal.title.say(self.language), word, text, customer, evidence)

    def action(self, ranked: Ranked) -> ActionAnswer:
        action = self.pack.by_id[ranked.action]
        values = self.decision.facts.seen_by(action)
        until_day = self.case.times.contact_at + datetime.timedelta(days=action.valid_days)
        tariff = self.tariff(ranked.tariff, values)

        def extra(name: str) -> Any:
            if name == "action.valid_until":
                return until_day.date()
            return ranked.concession if name == "action.concession" else self.tariff_value(ranked.tariff, tariff, name)

        form, text = action.channels[self.case.channel]
        said = self.say(text, values, extra)
        return ActionAnswer(
            rank=ranked.rank,
            action=action.id,
            title=action.title.say(self.language),
            kind=action.kind,
            duty=ranked.duty,
            category=action.category,
            script=said if form == "script" else None,
            text=said if form == "text" else None,
            reasons=[] if self.detail == "none" else self.reasons(ranked, action, values, extra),
            score=sum_told(ranked.score) if self.shows_scores else None,
            parts=parts_told(ranked) if self.shows_scores else None,
            concession=ranked.concession or None,
            approve=action.approve,
            confirm=action.confirm,
            tariff=tariff,
            disclose=self.say(action.disclose, values, extra) if action.disclose else None,
            valid_until=until_day,
            fallback_for=ranked.fallback_for,
        )

    def reasons(self, ranked: Ranked, action: Action, values: list[Any], extra: Callable[[str], Any]) -> list[Reason]:
        """Why an action: the signals its gates rest on, its own reason, else what its gates saw."""
        found: list[Reason] = []
        if ranked.fallback_for is not None:
            text = words.phrase(f"fallback.{ranked.fallback_for}", self.language)
            found.append(Reason(f"fallback.{ranked.fallback_for}", text, text, None))
        else:
            found += [Reason(told.id, told.text, told.customer, told.evidence) for told in self.told(action.signals, values)]
        if action.reason is not None:
            customer = self.say(action.customer, values, extra) if action.customer else None
            found.append(
                Reason(
                    action.id,
                    self.say(action.reason, values, extra),
                    customer,
                    self.evidence(values, *(clause for clause in action.gates if clause.gate == "applicable")),
                )
            )
        elif action.customer is not None and found and found[0].customer is None:
            first = found[0]
            found[0] = Reason(first.code, first.text, self.say(action.customer, values, extra), first.evidence)
        if not found:
            clauses = [clause for clause in action.gates if clause.gate == "applicable"] or list(action.gates)
            found = [
                Reason(clause.name, words.values_in_words(self.pack, values, clause, self.language), None, self.evidence(values, clause))
                for clause in clauses
            ]
        return found

    def evidence(self, values: list[Any], *clauses: Clause) -> list[Evidence] | None:
        """What the clauses saw; none for somebody who does not see it."""
        return [words.evidence(values, clause) for clause in clauses] if self.shows_evidence else None

    def tariff(self, name: str | None, values: list[Any]) -> TariffAnswer | None:
        found = self.pack.tariffs.get(name) if name else None
        if found is None:
            return None
        saving = self.saving(found.id, values)
        return TariffAnswer(
            found.id,
            found.name.say(self.language),
            found.filing_no,
            found.fee,
            found.fee_after,
            found.months,
            found.exit_fee,
            found.commitment_months,
            found.effective,
            saving,
            self.say(found.disclose, values, lambda slot: self.tariff_value(found.id, None, slot)),
        )

    def saving(self, plan: str, values: list[Any]) -> float | None:
        """What the last three cycles' use would cost less on the plan, per cycle; none where that cannot be told."""
        slots = self.pack.slots
        if plan not in self.pack.plans or "plan.cost_now" not in slots:
            return None
        now = values[slots["plan.cost_now"]]
        cost = fee_on(self.pack.plans, plan, 3, values[slots["usage.voice_out_min"]], values[slots["usage.data_mb"]])
        return None if now is None or cost is None else now - cost

    def tariff_value(self, name: str | None, answer: TariffAnswer | None, slot: str) -> Any:
        found = self.pack.tariffs.get(name) if name else None
        if found is None:
            return None
        field = slot.partition(".")[2]
        if field == "name":
            return found.name.say(self.language)
        return answer.saving if field == "saving" and answer else getattr(found, field, None)

    def not_offered(self, outcome: Outcome) -> NotOffered:
        action = self.pack.by_id[outcome.action]
        decision = self.decision
        first = outcome.failing[0] if outcome.failing else None
        clause = self.pack.clauses[action.id].get((first.gate, first.clause)) if first else None
        profiled = first is None or first.gate in ("contact", "guardrail") or not action.marketing or decision.facts.unprofiled is None
        facts = decision.facts if profiled or decision.facts.unprofiled is None else decision.facts.unprofiled
        values, decided = facts.values, clause is not None and first is not None and not first.unknown
        turned = self.changes_of(facts).turning(clause) if clause is not None and decided and clause.gate != "contact" else None
        ends = until(self.pack, self.case, facts, clause) if clause is not None and decided and clause.gate == "contact" else None
        return NotOffered(
            action=action.id,
            title=action.title.say(self.language),
            cause=str(outcome.cause),
            clause=f"{first.gate}.{first.clause}" if first and clause is not None else outcome.clause,
            text=self.why_not(outcome, action, first, clause, values),
            evidence=words.evidence(values, clause) if clause is not None and self.shows_evidence else None,
            others=[f"{item.gate}.{item.clause}" for item in outcome.failing[1:]],
            until=ends,
            change=words.change_in_words(self.pack, turned, self.language) if turned else None,
            changes=words.changes(turned) if turned else [],
            lost_to=outcome.lost_to,
            behind=sum_told(outcome.behind) if self.shows_scores else None,
        )

    def changes_of(self, facts: Facts) -> Changes:
        """What looks for changes of these facts; most clauses are turned by what turns others."""
        found = self.changes.get(id(facts))
        if found is None:
            found = self.changes[id(facts)] = Changes(self.pack, facts)
        return found

    def why_not(self, outcome: Outcome, action: Action, first: Failing | None, clause: Clause | None, values: list[Any]) -> str:
        """One sentence on why an action was not offered."""
        if first is not None and first.unknown and clause is not None:
            if values is not self.values:
                return words.phrase("not_looked_at", self.language)
            missing = titles_wanted(self.pack, self.decision, clause, values, self.language)
            return words.phrase("unknown", self.language, listed(missing or [first.clause], self.language))
        rules = {"contact": self.pack.contact_rules, "guardrail": self.pack.guardrail_rules}
        if first is not None and first.clause in rules.get(first.gate, ()):
            return self.say(rules[first.gate][first.clause].reason, self.values)
        if outcome.clause in words.PHRASES:
            return words.phrase(str(outcome.clause), self.language)
        return words.values_in_words(self.pack, values, clause, self.language) if clause is not None else str(outcome.clause)

    def ask(self) -> list[Ask]:
        return questions(self.pack, self.case, self.decision, self.language)

    def unknown(self) -> list[UnknownFact]:
        clauses = None if self.detail == "full" else waiting(self.decision)
        return unknown_facts(self.pack, self.decision, clauses, self.values, self.language)


def sum_told(value: float | None) -> float | None:
    """A score or a sum as answers tell it, to two decimals. Actions are ranked by what is not rounded."""
    return None if value is None else round(value, 2)


def parts_told(ranked: Ranked) -> ScoreParts:
    """The factors of a score as answers tell them."""
    return ScoreParts(round(ranked.propensity, 4), sum_told(ranked.value), round(ranked.relevance, 4), round(ranked.lever, 4))


def factor_told(value: float | None) -> float | None:
    """A factor of a score as answers tell it, to four decimals."""
    return None if value is None else round(value, 4)
