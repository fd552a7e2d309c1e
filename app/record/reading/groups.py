"""How groups of people fared under one pack, beside all others: offers, concessions, rate ratios."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from app.record.counting import GROUPS
from app.record.reading.counts import Counts, share

FEW = 30
"""Fewer decisions than these say little: such rows are marked."""
_Z = 1.96


@dataclass(frozen=True, slots=True)
class GroupFigure:
    """How one group fared under one pack, beside all others under that pack.

    Attributes:
        pack: digest.
        by: `tenure`, `age`, `region`, `tier` or `channel`.
        group: a value of it; `unknown` where it was not known.
        decisions: about people of the group.
        offered: of these, with an offer on the list.
        offer_share: `offered` / `decisions`, with its 95 % interval (Wilson) beside it.
        offer_ratio: the group's share over that of all others (a plain rate ratio); none where that cannot be told.
        conceded: decisions with a concession on the list.
        concession_share: `conceded` / `decisions`, with its interval.
        concession_ratio: as `offer_ratio`.
        mean_concession: per decision, in the currency's smallest unit.
        mean_ratio: of it, over that of all others.
        few: fewer than 30 decisions, which say little.
    """

    pack: str
    by: str
    group: str
    decisions: int
    offered: int
    offer_share: float
    offer_interval: tuple[float, float]
    offer_ratio: float | None
    conceded: int
    concession_share: float
    concession_interval: tuple[float, float]
    concession_ratio: float | None
    mean_concession: float
    mean_ratio: float | None
    few: bool


def group_figures(digest: str, counts: Counts) -> Iterator[GroupFigure]:
    """Every group under a pack, by its digest."""
    for by in GROUPS:
        keys = sorted(key for key in counts["decision"] if key and key[0][0] == by)
        for key in keys:
            yield _group(digest, counts, key)


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score, which stays within 0 and 1 and holds for small numbers too."""
    if whole == 0:
        return 0.0, 1.0
    share, spread = part / whole, _Z * _Z / whole
    middle = share + spread / 2
    half = _Z * math.sqrt(share * (1 - share) / whole + spread / (4 * whole))
    return max((middle - half) / (1 + spread), 0.0), min((middle + half) / (1 + spread), 1.0)


def _group(digest: str, counts: Counts, key: tuple[tuple[str, str], ...]) -> GroupFigure:
    ((by, value),) = key
    names = ("decision", "offered", "conceded", "concession")
    decisions, offered, conceded, concession = (counts[name][key] for name in names)
    rest, rest_offered, rest_conceded, rest_concession = (counts[name][()] - counts[name][key] for name in names)
    return GroupFigure(
        digest,
        by,
        value,
        decisions,
        offered,
        share(offered, decisions),
        wilson(offered, decisions),
        _ratio(offered, decisions, rest_offered, rest),
        conceded,
        share(conceded, decisions),
        wilson(conceded, decisions),
        _ratio(conceded, decisions, rest_conceded, rest),
        share(concession, decisions),
        _ratio(concession, decisions, rest_concession, rest),
        decisions < FEW,
    )


def _ratio(part: int, whole: int, other_part: int, other_whole: int) -> float | None:
    """The rate of one over that of the others; none where the others have none, or there are no others."""
    return (part / whole) / (other_part / other_whole) if whole and other_whole and other_part else None
