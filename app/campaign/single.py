"""Those of a batch who are decided one by one, since they chose something for good: the pipeline for one case, put among the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from app.campaign.batch import PLACE
from app.campaign.screening import Became, legend_of
from app.engine.asking import facts_told, unknown_facts, waiting
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.facts import microseconds
from app.engine.view import view

if TYPE_CHECKING:
    from app.campaign.deciding import Decided
    from app.engine.answer import ActionAnswer
    from app.engine.case import Case
    from app.engine.decision import Decision
    from app.engine.pack import Pack
    from app.engine.texts import Language

_LISTS = ("subscribers", "signals", "ranked", "outcomes", "outranked", "unknown")


@dataclass(frozen=True, slots=True)
class Single:
    """One subscriber's case and what was decided."""

    case: Case
    decision: Decision


def decide_singly(pack: Pack, cases: Mapping[int, Case]) -> dict[int, Single]:
    """The decisions for some cases, by their place in the batch."""
    return {place: Single(case, decide(pack, case)) for place, case in cases.items()}


def put_among(pack: Pack, decided: Decided, singles: Mapping[int, Single]) -> Decided:
    """The decisions of a batch, with those that were made one by one instead of theirs."""
    if not singles:
        return decided
    places = pl.Series(list(singles), dtype=pl.UInt32).implode()
    changed: dict[str, Any] = {}
    for name in _LISTS:
        others: pl.DataFrame = getattr(decided, name)
        own = pl.DataFrame(_rows[name](pack, decided, singles), others.schema, orient="row")
        changed[name] = pl.concat([others.filter(~pl.col(PLACE).is_in(places)), own]).sort(PLACE, maintain_order=True)
    return replace(decided, **changed)


def put_words_among(pack: Pack, actions: pl.DataFrame, singles: Mapping[int, Single], language: Language) -> pl.DataFrame:
    """The actions of a batch in words, with those of who was decided one by one instead of theirs."""
    if not singles:
        return actions
    told = (_words(place, answer) for place, single in singles.items() for answer in _answers(pack, single, language))
    own = pl.DataFrame([{name: row[name] for name in actions.columns} for row in told], actions.schema)
    return pl.concat([actions.filter(~_at(singles)), own]).sort(PLACE, "rank")


def _answers(pack: Pack, single: Single, language: Language) -> list[ActionAnswer]:
    case = replace(single.case, locale="zh-CN" if language == "zh" else "en")
    return view(explain(pack, case, single.decision, evidence=False), pack.restricted, "campaign").actions


def _words(place: int, answer: ActionAnswer) -> dict[str, Any]:
    """An action in words, by the names of the columns."""
    tariff = answer.tariff
    return {
        **vars(answer),
        PLACE: place,
        "text": answer.script if answer.text is None else answer.text,
        "form": "script" if answer.text is None else "text",
        "reasons": [reason.text for reason in answer.reasons],
        "reason_codes": [reason.code for reason in answer.reasons],
        "customer_reasons": [reason.customer for reason in answer.reasons],
        "tariff": None if tariff is None else tariff.id,
        "tariff_name": None if tariff is None else tariff.name,
        "tariff_disclose": None if tariff is None else tariff.disclose,
        "saving": None if tariff is None else tariff.saving,
        "valid_until": microseconds(answer.valid_until),
    }


def _subscribers(_pack: Pack, decided: Decided, singles: Mapping[int, Single]) -> list[tuple[Any, ...]]:
    found = []
    for place, row, subscriber in decided.subscribers.select(PLACE, "row", "subscriber").filter(_at(singles)).iter_rows():
        decision = singles[place].decision
        told = (decision.stage.id, decision.phase.id, decision.moment, decision.personalised, len(decision.ranked), decision.empty_because)
        found.append((place, row, subscriber, *told))
    return found


def _at(singles: Mapping[int, Single]) -> pl.Expr:
    return pl.col(PLACE).is_in(pl.Series(list(singles), dtype=pl.UInt32).implode())


def _signals(_pack: Pack, _decided: Decided, singles: Mapping[int, Single]) -> list[tuple[Any, ...]]:
    return [(place, *held) for place, single in singles.items() for held in single.decision.signals]


def _ranked(_pack: Pack, _decided: Decided, singles: Mapping[int, Single]) -> list[tuple[Any, ...]]:
    return [(place, *item) for place, single in singles.items() for item in single.decision.ranked]


def _outcomes(pack: Pack, _decided: Decided, singles: Mapping[int, Single]) -> list[tuple[Any, ...]]:
    legends = [legend_of(action) for action in pack.actions]

    def codes(decision: Decision) -> list[int]:
        return [codes[Became(item.cause, item.clause)] for codes, item in zip(legends, decision.outcomes, strict=True)]

    return [(place, *codes(single.decision)) for place, single in singles.items()]


def _outranked(_pack: Pack, _decided: Decided, singles: Mapping[int, Single]) -> list[tuple[Any, ...]]:
    return [
        (place, item.action, item.clause, item.lost_to, item.behind)
        for place, single in singles.items()
        for item in single.decision.outcomes
        if item.cause == "outranked"
    ]


def _unknown(pack: Pack, _decided: Decided, singles: Mapping[int, Single]) -> list[tuple[Any, ...]]:
    found = []
    for place, single in singles.items():
        decision = single.decision
        names = {fact.fact for fact in unknown_facts(pack, decision, waiting(decision), decision.facts.values, "en")}
        found.append((place, *(name in names for name in facts_told(pack))))
    return found


_rows: Mapping[str, Callable[[Pack, Decided, Mapping[int, Single]], list[tuple[Any, ...]]]] = {
    "subscribers": _subscribers,
    "signals": _signals,
    "ranked": _ranked,
    "outcomes": _outcomes,
    "outranked": _outranked,
    "unknown": _unknown,
}
"""What each frame has of decisions that were made one by one, row by row."""
