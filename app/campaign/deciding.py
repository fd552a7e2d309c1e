"""Deciding for a batch, top to bottom: the pipeline of `engine.decide` on columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.batch import PLACE, Batch, no_history
from app.campaign.choosing import RANK, choose
from app.campaign.entries import Entry
from app.campaign.plan import Plan, plans_of
from app.campaign.screening import CODE, OFFERED, Became, legend_of, permitted, possible
from app.campaign.wanting import facts_wanted
from app.engine.arbitration import DUTIES, GuardrailBreach
from app.engine.once import once_a_pack
from app.engine.pack.model import CLOCKS, UNPROFILED

if TYPE_CHECKING:
    from app.engine.pack.model import Action, Pack

_OWN = ("duty", "concession")
"""What contact policy and guardrails read of an action itself."""
_PROFILE_FREE = (PLACE, "row", "subscriber", "as_of", "contact_at", *CLOCKS, *sorted(UNPROFILED))
"""What may still be looked at for offers and marketing care to somebody who refused personalisation."""
_CANDIDATE: Mapping[str, pl.DataType] = {
    PLACE: pl.UInt32(),
    "order": pl.UInt32(),
    "act": pl.UInt32(),
    "duty": pl.String(),
    "category": pl.String(),
    "bound": pl.Boolean(),
    "score": pl.Float64(),
    "propensity": pl.Float64(),
    "value": pl.Float64(),
    "relevance": pl.Float64(),
    "lever": pl.Float64(),
    "concession": pl.Int64(),
    "tariff": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Worked:
    """Every column of the subscribers on one channel: as `seen` by most, and as `open` to marketing, for which much is blank where
    personalisation was refused."""

    plan: Plan
    seen: pl.DataFrame
    open: pl.DataFrame

    def view(self, action: Action) -> pl.DataFrame:
        """What an action's gates and score look at."""
        return self.open if action.marketing else self.seen


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a batch. `i` is the place in the batch.

    Attributes:
        subscribers: a row a subscriber: `i`, `row`, `subscriber`, `stage`, `phase`, `moment`, `personalised`, `empty_because` (null where
            something is offered) and `offered`, the length of the list.
        signals: the signals that hold: `i`, `signal`, and the strongest `level`.
        ranked: the lists: `i`, `rank` from 1, `action`, `duty`, `score`, `propensity`, `value` in fen (null: unknown), `relevance`,
            `lever`, `concession` in fen, `tariff`, `fallback_for`.
        outcomes: `i`, and for each action of the pack a code of what became of it.
        legend: what the codes of each action mean.
        outranked: what lost: `i`, `action`, `clause`, to which action it `lost_to` and how far `behind` its score.
        unknown: `i`, and for each fact that is told whether it was wanted and not known.
        worked: the columns behind it, for who words it.
    """

    subscribers: pl.DataFrame
    signals: pl.DataFrame
    ranked: pl.DataFrame
    outcomes: pl.DataFrame
    legend: Mapping[str, tuple[Became, ...]]
    outranked: pl.DataFrame
    unknown: pl.DataFrame
    worked: tuple[Worked, ...]


def decide_batch(pack: Pack, batch: Batch) -> Decided:
    """The next best actions for every subscriber of a batch, the same as `decide` gives for each.

    Raises:
        GuardrailBreach: the pipeline let an action through that is not permitted.
    """
    groups = batch.facts.partition_by("request.channel", "personalised", as_dict=True) or {("none", True): batch.facts}
    parts = [_decided(pack, batch, str(channel), facts, personalised=bool(free)) for (channel, free), facts in sorted(groups.items())]

    def all_of(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
        return pl.concat(frames).sort(PLACE, maintain_order=True)

    return Decided(
        subscribers=all_of(part.subscribers for part in parts),
        signals=all_of(part.signals for part in parts),
        ranked=all_of(part.ranked for part in parts),
        outcomes=all_of(part.outcomes for part in parts),
        legend=legends(pack),
        outranked=all_of(part.outranked for part in parts),
        unknown=all_of(part.unknown for part in parts),
        worked=tuple(worked for part in parts for worked in part.worked),
    )


def _decided(pack: Pack, batch: Batch, channel: str, facts: pl.DataFrame, *, personalised: bool) -> Decided:
    """The decisions for those who are met on one channel, and of whom all or none may be profiled."""
    worked = _work_out(pack, batch, channel, facts, personalised=personalised)
    screened = _screened(pack, worked)
    standing = {entry: screened[entry.action.id] == OFFERED for entry in worked.plan.entries}
    found = choose(pack, _in_order(_candidates(pack, worked, standing)), _limits(pack, worked.seen))
    outcomes = _put(screened, _outranked(pack, found.losers))
    causes = _causes(pack, worked, outcomes, found.winners)
    stood_in = _fallbacks(pack, worked, causes)
    ranked = pl.concat([found.winners.with_columns(pl.lit(None, pl.String).alias("fallback_for")), *stood_in])
    _assert_permitted(worked, ranked)
    outcomes = _put(outcomes, _offered(pack, stood_in))
    return Decided(
        _subscribers(worked.seen, causes, ranked, personalised=personalised),
        _signals(worked),
        _named(pack, ranked.sort(PLACE, "rank")).select(*_RANKED),
        outcomes,
        legends(pack),
        _named(pack, found.losers, "act:won", "lost_to").select(PLACE, "action", "clause", "lost_to", "behind"),
        facts_wanted(worked.plan, worked.seen, outcomes, legends(pack), marketing=personalised),
        (worked,),
    )


_RANKED = (
    PLACE,
    "rank",
    "action",
    "duty",
    "score",
    "propensity",
    "value",
    "relevance",
    "lever",
    "concession",
    "tariff",
    "fallback_for",
)


@once_a_pack
def legends(pack: Pack) -> Mapping[str, tuple[Became, ...]]:
    """What the codes of each action mean."""
    return {action.id: tuple(legend_of(action)) for action in pack.actions}


def _work_out(pack: Pack, batch: Batch, channel: str, facts: pl.DataFrame, *, personalised: bool) -> Worked:
    """Every column; for who refused personalisation twice, the second time without what is not open to marketing.

    Contact policy and guardrails see everything, but duty and concession of marketing are those of what is open to it. Where hands are off,
    they are off for marketing too.
    """
    plan = plans_of(pack)[channel]
    if personalised:
        seen = plan.fill(facts, batch)
        return Worked(plan, seen, seen)
    blank = facts.select(*(name for name in _PROFILE_FREE if name in facts.columns)).with_columns(
        *(pl.lit(False).alias(f"{name}.known") for name in ("events", "contacts"))
    )
    alone = plan.fill(blank, Batch(blank, {}, no_history(None)))
    own = [f"{name}:{entry.action.id}" for entry in plan.entries if entry.action.marketing for name in _OWN]
    own = [name for name in own if name in alone.columns]
    seen = plan.fill(facts.with_columns(alone.select(own)), batch, given=frozenset(own))
    off = seen["phase"] == "hands_off"
    return Worked(plan, seen, alone.with_columns([seen[name].zip_with(off, alone[name]) for name in ("phase", "moment")]))


def _screened(pack: Pack, worked: Worked) -> pl.DataFrame:
    """What keeps each action out, as codes: its gates, by what is open to it; then contact policy and guardrails, by everything."""
    marketing, plan = {action.id for action in pack.actions if action.marketing}, worked.plan
    gates = worked.seen.select(PLACE, *(code for name, code in plan.gates.items() if name not in marketing))
    gates = gates.with_columns(worked.open.select(code for name, code in plan.gates.items() if name in marketing))
    rules = worked.seen.select(PLACE, *(code.alias(f"rules:{name}") for name, code in plan.rules.items()))
    both = {name: pl.when(pl.col(name) == OFFERED).then(pl.col(f"rules:{name}")).otherwise(pl.col(name)).alias(name) for name in plan.rules}
    return gates.with_columns(rules).select(PLACE, *(both.get(action.id, pl.col(action.id)) for action in pack.actions))


def _candidates(pack: Pack, worked: Worked, standing: Mapping[Entry, pl.Series]) -> list[pl.DataFrame]:
    """Those for whom each action stands, with the parts of its score."""
    views = {marketing: (worked.open if marketing else worked.seen).lazy() for marketing in (False, True)}
    wanted = [
        views[entry.action.marketing].filter(pl.lit(mask)).select(_scored(pack, entry)) for entry, mask in standing.items() if mask.any()
    ]
    return pl.collect_all(wanted)


def _scored(pack: Pack, entry: Entry) -> list[pl.Expr]:
    """The parts of an action's score: an unknown propensity or value counts as nothing."""
    action, category = entry.action, entry.action.category
    weights = {name: moment.relevance[category] for name, moment in pack.moments.items() if category in moment.relevance}
    relevance = pl.col("moment").replace_strict(weights, default=1.0, return_dtype=pl.Float64) if weights else pl.lit(1.0)
    lever = pl.col("phase").replace_strict({phase.id: phase.mix[action.lever] for phase in pack.phases}, return_dtype=pl.Float64)
    propensity, value = pl.col(entry.propensity).fill_null(0.0), pl.col(entry.value)
    parts = {
        "order": pl.lit(0, _CANDIDATE["order"]),
        "act": pl.lit(pack.places[action.id], _CANDIDATE["act"]),
        "duty": pl.lit(action.duty) if entry.duty is None else pl.col(entry.duty).fill_null("care"),
        "category": pl.lit(category),
        "bound": pl.lit(bool(action.commitment_months)),
        "score": propensity * value.fill_null(0.0) * relevance * lever,
        "propensity": propensity,
        "value": value,
        "relevance": relevance,
        "lever": lever,
        "concession": pl.col(entry.concession).fill_null(0.0).ceil().cast(pl.Int64),
        "tariff": pl.lit(action.tariff, pl.String) if entry.tariff is None else pl.col(entry.tariff),
        "priority": pl.lit(-action.priority, pl.Int64),
    }
    return [pl.col(PLACE), *(part.alias(name) for name, part in parts.items())]


def _in_order(standing: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All candidates in the total order: duty, score, priority, id."""
    found = pl.concat([_nobody(), *standing])
    duty = pl.col("duty").replace_strict(dict(DUTIES), return_dtype=pl.UInt8)
    found = found.sort(PLACE, duty, pl.col("score") + 0.0, "priority", "act", descending=[False, False, True, False, False])
    return found.drop("order").with_row_index("order").select(*_CANDIDATE)


def _limits(pack: Pack, seen: pl.DataFrame) -> pl.DataFrame:
    """How long a list may be and how much may be conceded, a row a subscriber."""
    return seen.select(PLACE, pl.col("max_actions").clip(upper_bound=pack.choosing.max_actions).alias("limit"), "concession_limit")


def _outranked(pack: Pack, losers: pl.DataFrame) -> pl.DataFrame:
    """The codes of the actions that lost to others: `i`, `action`, `code`."""
    return _named(pack, losers.join(_codes_of_losing(pack), on=["act", "clause"])).select(PLACE, "action", "code")


@once_a_pack
def _codes_of_losing(pack: Pack) -> pl.DataFrame:
    """The code of each action for each rule by which it may lose."""
    codes = [
        (place, became.clause, code)
        for place, action in enumerate(pack.actions)
        for became, code in legend_of(action).items()
        if became.cause == "outranked"
    ]
    return pl.DataFrame(codes, {"act": _CANDIDATE["act"], "clause": pl.String, "code": CODE}, orient="row")


def _put(codes: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """The codes with others in some places: `i`, `action`, `code`."""
    if changed.is_empty():
        return codes
    wide = changed.pivot(on="action", index=PLACE, values="code")
    names = wide.columns[1:]
    joined = codes.join(wide, on=PLACE, how="left", suffix=":new", maintain_order="left")
    return joined.with_columns([pl.coalesce(f"{name}:new", name).alias(name) for name in names]).select(codes.columns)


def _causes(pack: Pack, worked: Worked, outcomes: pl.DataFrame, winners: pl.DataFrame) -> pl.DataFrame:
    """Why a list is empty, `i` and `cause`: hands off, else the farthest that any action came."""
    empty = worked.seen.select(PLACE, *{gate.column for gate in worked.plan.hands_off})
    empty = empty.join(winners.select(PLACE).unique(), on=PLACE, how="anti", maintain_order="left").join(
        outcomes, on=PLACE, maintain_order="left"
    )
    found = pl.lit("not_applicable")
    for cause, told in (("unknown", "unknown"), ("suppressed", "suppressed"), ("guardrail", "guardrail"), ("outranked", "guardrail")):
        if cause in _became(pack):
            found = pl.when(_became(pack)[cause]).then(pl.lit(told)).otherwise(found)
    for gate in reversed(worked.plan.hands_off):
        found = pl.when(pl.col(gate.column)).then(pl.lit(gate.clause.name)).otherwise(found)
    return empty.select(PLACE, found.alias("cause"))


@once_a_pack
def _became(pack: Pack) -> Mapping[str, pl.Expr]:
    """By cause, whether any action came to it."""
    tests: dict[str, list[pl.Expr]] = {}
    for name, legend in legends(pack).items():
        codes: dict[str, list[int]] = {}
        for code, became in enumerate(legend):
            codes.setdefault(became.cause or "", []).append(code)
        for cause, wanted in codes.items():
            tests.setdefault(cause, []).append(pl.col(name).is_in(pl.Series(wanted, dtype=CODE).implode()))
    return {cause: pl.any_horizontal(parts) for cause, parts in tests.items()}


def _fallbacks(pack: Pack, worked: Worked, causes: pl.DataFrame) -> list[pl.DataFrame]:
    """The pack's actions for an empty list, in its order. They need not fit the phase or the signals; they must be possible, permitted,
    within the asker's limit, and without conflict."""
    found = []
    for cause, names in pack.choosing.fallback.items():
        entries = [worked.plan.by_id[name] for name in names if name in worked.plan.by_id]
        empty = worked.seen[PLACE].is_in(causes.filter(pl.col("cause") == cause)[PLACE].implode())
        if not entries or not empty.any():
            continue
        order = pl.col("act").replace_strict({pack.places[entry.action.id]: number for number, entry in enumerate(entries)})
        standing = pl.concat([*_candidates(pack, worked, {entry: empty & _stands_in(worked, entry) for entry in entries}), _nobody()])
        winners = choose(
            pack, standing.with_columns(order.cast(pl.UInt32).alias("order")).select(*_CANDIDATE), _limits(pack, worked.seen)
        ).winners
        found.append(winners.with_columns(pl.lit(cause).alias("fallback_for")))
    return found


def _offered(pack: Pack, stood_in: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The codes of the actions that stand in: `i`, `action`, `code`."""
    rows = pl.concat([_nobody().select(PLACE, "act"), *(winners.select(PLACE, "act") for winners in stood_in)])
    return _named(pack, rows).select(PLACE, "action", pl.lit(OFFERED, CODE).alias("code"))


def _nobody() -> pl.DataFrame:
    """No candidates."""
    return pl.DataFrame(schema={**_CANDIDATE, "priority": pl.Int64()})


def _stands_in(worked: Worked, entry: Entry) -> pl.Series:
    """For whom a fallback is possible and permitted."""
    return worked.view(entry.action).select(possible(entry).alias("met"))["met"] & worked.seen.select(permitted(entry).alias("met"))["met"]


def _assert_permitted(worked: Worked, ranked: pl.DataFrame) -> None:
    """The last look at finished lists, fallbacks included."""
    entries = [worked.plan.by_id[worked.plan.pack.actions[act].id] for act in ranked["act"].unique().sort()]
    places = {
        entry.action.id: ranked.filter(pl.col("act") == worked.plan.pack.places[entry.action.id])[PLACE].implode() for entry in entries
    }
    breaches = worked.seen.select(
        (pl.col(PLACE).is_in(places[entry.action.id]) & ~permitted(entry)).any().alias(entry.action.id) for entry in entries
    )
    for name, breached in breaches.row(0, named=True).items() if entries else ():
        if breached:
            raise GuardrailBreach(f"`{name}` against contact policy or a guardrail")


def _subscribers(seen: pl.DataFrame, causes: pl.DataFrame, ranked: pl.DataFrame, *, personalised: bool) -> pl.DataFrame:
    lengths = ranked.group_by(PLACE).agg(pl.len().cast(RANK).alias("offered"))
    found = seen.select(PLACE, "row", "subscriber", "stage", "phase", "moment", pl.lit(personalised).alias("personalised"))
    found = found.join(lengths, on=PLACE, how="left", maintain_order="left").join(causes, on=PLACE, how="left", maintain_order="left")
    empty = pl.when(pl.col("offered").is_null()).then(pl.col("cause")).alias("empty_because")
    return found.with_columns(empty, pl.col("offered").fill_null(0)).drop("cause")


def _signals(worked: Worked) -> pl.DataFrame:
    """Each signal that holds, with its strongest level."""
    seen = worked.seen.lazy()
    found = [
        seen.select(PLACE, pl.lit(name).alias("signal"), level.alias("level")).drop_nulls() for name, level in worked.plan.level.items()
    ]
    empty = pl.DataFrame(schema={PLACE: pl.UInt32(), "signal": pl.String(), "level": pl.String()})
    return pl.concat([empty, *pl.collect_all(found)])


def _named(pack: Pack, rows: pl.DataFrame, place: str = "", name: str = "") -> pl.DataFrame:
    """With actions by their ids."""
    ids = {number: action.id for number, action in enumerate(pack.actions)}
    wanted = {"act": "action", **({place: name} if place else {})}
    return rows.with_columns([pl.col(old).replace_strict(ids, return_dtype=pl.String).alias(new) for old, new in wanted.items()])
