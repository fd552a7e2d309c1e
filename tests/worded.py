"""Words as both ways of deciding give them, in one form in which they can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.campaign.batch import batch_of
from app.campaign.deciding import decide_batch
from app.campaign.wording import Worded, word_batch
from app.engine.answer import ActionAnswer
from app.engine.case import Case
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.facts import microseconds
from app.engine.pack import Pack
from app.engine.texts import Language
from app.engine.view import view

Told = dict[str, Any]


def worded_by_rows(pack: Pack, cases: Sequence[Case], language: Language) -> list[Told]:
    """The words that `explain` and `view` give case by case."""
    return [_told(pack, replace(case, locale="zh-CN" if language == "zh" else "en")) for case in cases]


def _told(pack: Pack, case: Case) -> Told:
    answer = view(explain(pack, case, decide(pack, case), "summary", evidence=False), pack.restricted, role="campaign")
    return {
        "actions": [_action(action) for action in answer.actions],
        "signals": [(held.id, held.title, held.level, held.text) for held in answer.signals],
        "phase": (answer.phase.title, answer.stage_title, [reason.text for reason in answer.phase.reasons]),
    }


def _action(action: ActionAnswer) -> Told:
    tariff = action.tariff
    return {
        "rank": action.rank,
        "action": action.action,
        "title": action.title,
        "kind": action.kind,
        "category": action.category,
        "text": action.script if action.text is None else action.text,
        "form": "script" if action.text is None else "text",
        "reasons": [reason.text for reason in action.reasons],
        "reason_codes": [reason.code for reason in action.reasons],
        "customer_reasons": [reason.customer for reason in action.reasons],
        "approve": action.approve,
        "confirm": action.confirm,
        "disclose": action.disclose,
        "tariff": None if tariff is None else tariff.id,
        "tariff_name": None if tariff is None else tariff.name,
        "tariff_disclose": None if tariff is None else tariff.disclose,
        "saving": None if tariff is None else tariff.saving,
        "valid_until": microseconds(action.valid_until),
        "fallback_for": action.fallback_for,
    }


def worded_by_columns(pack: Pack, cases: Sequence[Case], language: Language) -> list[Told]:
    """The words of all of them on columns."""
    decided = decide_batch(pack, batch_of(pack, cases))
    return told(word_batch(pack, decided, language, customers=True, signals=True, phases=True))


def told(worded: Worded) -> list[Told]:
    """The words of a batch, a subscriber each."""
    assert worded.signals is not None
    assert worded.phases is not None
    found: list[Told] = []
    for row in worded.phases.iter_rows(named=True):
        assert row["i"] == len(found)
        found.append({"actions": [], "signals": [], "phase": (row["phase_title"], row["stage_title"], row["phase_reasons"])})
    for row in worded.actions.iter_rows(named=True):
        found[row.pop("i")]["actions"].append(row)
    for place, *held in worded.signals.iter_rows():
        found[place]["signals"].append(tuple(held))
    return found
