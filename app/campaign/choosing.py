"""Arbitration for many subscribers at once: the same greedy choice as for one, a round a rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.batch import PLACE

if TYPE_CHECKING:
    from app.engine.pack.model import Pack

RANK = pl.UInt8()
_judged = ("act", "duty", "category", "bound", "concession")
"""What a candidate's conflicts with a winner are judged by."""
_won = tuple(f"{name}:won" for name in _judged)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The candidates that won, with `rank` from 1; and the others, with the `clause` that they conflict by, the action's place `act:won` of
    the winner that they lost to, none where no winner stands in the way, and how far they are `behind` its score."""

    winners: pl.DataFrame
    losers: pl.DataFrame


def choose(pack: Pack, candidates: pl.DataFrame, limits: pl.DataFrame) -> Chosen:
    """The best of each subscriber's candidates, dropping what conflicts with it, until the list is full.

    Args:
        pack: what may stand together.
        candidates: a row a candidate: `i`, `order` (the least is the best of the subscriber's), `act` (the action's place in the pack),
            `duty`, `category`, `bound` (is it a commitment), `concession` in fen and `score`.
        limits: a row a subscriber: `i`, `limit` of the list and `concession_limit`.
    """
    left = candidates.join(limits, on=PLACE).sort(PLACE, "order")
    left = left.with_columns(pl.lit(0).alias("alike"), pl.lit(0).alias("committed"), pl.lit(0).alias("spent")).filter(_fits(pack, 0))
    won: list[pl.DataFrame] = []
    while not left.is_empty():
        first = left.unique(PLACE, keep="first", maintain_order=True)
        won.append(first.select(*candidates.columns, pl.lit(len(won) + 1, RANK).alias("rank")))
        left = left.join(first.select(PLACE, "order", *_judged), on=PLACE, suffix=":won", maintain_order="left")
        left = left.filter(pl.col("order") > pl.col("order:won")).with_columns(
            pl.col("alike") + (pl.col("category") == pl.col("category:won")),
            pl.col("committed") + pl.col("bound:won"),
            pl.col("spent") + pl.col("concession:won"),
        )
        left = left.filter(~_excludes(pack) & ~_comes_after_service(pack) & _fits(pack, len(won))).drop("order:won", *_won)
    winners = pl.concat([candidates.clear().with_columns(pl.lit(None, RANK).alias("rank")), *won])
    lost = candidates.join(winners.select(PLACE, "order"), on=[PLACE, "order"], how="anti")
    return Chosen(winners, _judge(pack, lost.join(limits, on=PLACE), winners))


def _excludes(pack: Pack) -> pl.Expr:
    """Do candidate and winner exclude each other?"""
    places, many = pack.places, len(pack.actions)
    pairs = {(places[action.id], places[other]) for action in pack.actions for other in action.excludes if other in places}
    codes = sorted({one * many + other for pair in pairs for one, other in (pair, pair[::-1])})
    return (pl.col("act") * many + pl.col("act:won")).is_in(codes) if codes else pl.lit(False)


def _comes_after_service(pack: Pack) -> pl.Expr:
    """Is it an offer, while something is owed in a category of service?"""
    first = sorted(pack.choosing.service_first)
    owed = (pl.col("duty:won") == "owed") & pl.col("category:won").is_in(first)
    return (pl.col("duty") == "offer") & owed if first else pl.lit(False)


def _fits(pack: Pack, chosen: int) -> pl.Expr:
    """Is there room for the candidate beside so many winners?"""
    return ~_too_many_alike(pack) & ~_too_many_bound(pack) & ~_too_dear() & (chosen < pl.col("limit"))


def _too_many_alike(pack: Pack) -> pl.Expr:
    return pl.col("alike") >= pack.choosing.per_category


def _too_many_bound(pack: Pack) -> pl.Expr:
    return pl.col("bound") & (pl.col("committed") >= pack.choosing.commitments)


def _too_dear() -> pl.Expr:
    return (pl.col("concession") != 0) & (pl.col("spent") + pl.col("concession") > pl.col("concession_limit"))


def _judge(pack: Pack, lost: pl.DataFrame, winners: pl.DataFrame) -> pl.DataFrame:
    """The rule by which each loser conflicts with the winners that come before it, and with which of them."""
    before = lost.join(winners.select(PLACE, "order", "rank", *_judged), on=PLACE, suffix=":won").filter(
        pl.col("order:won") < pl.col("order")
    )
    excludes, after = _excludes(pack), _comes_after_service(pack)
    alike, conceding = pl.col("category") == pl.col("category:won"), pl.col("concession:won") != 0
    rank, bound = pl.col("rank"), pl.col("bound:won")
    seen = before.group_by(PLACE, "order").agg(
        rank.filter(excludes).min().alias("excluded"),
        rank.filter(excludes | after).min().alias("barred"),
        alike.sum().alias("alike"),
        rank.filter(alike).max().alias("last_alike"),
        bound.sum().alias("committed"),
        rank.filter(bound).max().alias("last_bound"),
        pl.col("concession:won").sum().alias("spent"),
        rank.filter(conceding).max().alias("last_conceding"),
        rank.max().alias("last"),
    )
    judged = lost.join(seen, on=[PLACE, "order"], how="left").with_columns(pl.col("alike", "committed", "spent").fill_null(0))
    barred = pl.col("barred").is_not_null()
    rules = (
        (barred & (pl.col("excluded") == pl.col("barred")), "excludes", "barred"),
        (barred, "service_first", "barred"),
        (_too_many_alike(pack), "per_category", "last_alike"),
        (_too_many_bound(pack), "commitments", "last_bound"),
        (_too_dear(), "concession_limit", "last_conceding"),
    )
    clause, by = pl.lit("max_actions"), pl.col("last")
    for met, name, rank_of in reversed(rules):
        clause, by = pl.when(met).then(pl.lit(name)).otherwise(clause), pl.when(met).then(pl.col(rank_of)).otherwise(by)
    judged = judged.select(PLACE, "act", "score", clause.alias("clause"), by.alias("by"))
    scores = winners.select(PLACE, pl.col("rank").alias("by"), pl.col("act").alias("act:won"), pl.col("score").alias("score:won"))
    judged = judged.join(scores, on=[PLACE, "by"], how="left")
    return judged.with_columns((pl.col("score:won") - pl.col("score")).alias("behind"))
