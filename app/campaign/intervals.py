"""How sure a share, and the difference of two shares, is."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


def wilson(count: int, of: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval in which a share lies: Wilson's score interval, without continuity correction.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, Journal of the American Statistical Association 22
    (1927), 209-212.

    Args:
        count: how many of them.
        of: how many there are, at least one.
        confidence: how often such an interval holds the share.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = 2 * count + z * z
    spread = z * sqrt(z * z + 4 * count * (1 - count / of))
    low, high = (middle - spread) / (2 * (of + z * z)), (middle + spread) / (2 * (of + z * z))
    return (0.0 if count == 0 else low), (1.0 if count == of else high)


def difference(one: int, of_one: int, other: int, of_other: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval in which the difference of two independent shares lies, the first less the second: Newcombe's hybrid score interval.

    R. G. Newcombe, Interval estimation for the difference between independent proportions: comparison of eleven methods, Statistics in
    Medicine 17 (1998), 873-890, method 10. It needs no large samples, and never leaves -1 to 1.

    Args:
        one: how many of the first group.
        of_one: how many there are in it, at least one.
        other: how many of the second.
        of_other: how many there are in that, at least one.
        confidence: how often such an interval holds the difference.
    """
    first, second = one / of_one, other / of_other
    (low_one, high_one), (low_other, high_other) = wilson(one, of_one, confidence), wilson(other, of_other, confidence)
    below = sqrt((first - low_one) ** 2 + (high_other - second) ** 2)
    above = sqrt((high_one - first) ** 2 + (second - low_other) ** 2)
    return first - second - below, first - second + above
