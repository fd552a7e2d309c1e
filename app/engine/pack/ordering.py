"""The order in which derived facts and signals can be worked out, and the cycles that prevent it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_fact = re.compile(r"\bfacts\.[a-z0-9_]+")
_signal = re.compile(r"\b(?:signal|level)\(\s*['\"]([a-z0-9_.]+)['\"]")
_best = re.compile(r"\bplan\.best_public_(?:id|saving)\b")


def mentions(text: str, plans: Iterable[str]) -> frozenset[str]:
    """Derived names that an expression depends on, as keys: `facts.x`, `signal:x`, `open:plan`, `plan.best_public_id`."""
    found = set(_fact.findall(text)) | {f"signal:{name}" for name in _signal.findall(text)} | set(_best.findall(text))
    if "best_fee" in text:
        found |= {f"open:{plan}" for plan in plans}
    return frozenset(found)


def ordered(graph: Mapping[str, frozenset[str]]) -> tuple[list[str], list[str]]:
    """The keys so that each comes after what it depends on, equal ones by name.

    Returns:
        The order, and the first cycle found as a path that ends where it began (empty when there is none).
    """
    done: dict[str, bool] = {}
    order: list[str] = []
    for root in sorted(graph):
        stack = [(root, iter(sorted(graph[root])))] if root not in done else []
        done.setdefault(root, False)
        while stack:
            name, rest = stack[-1]
            child = next((item for item in rest if item in graph and done.get(item) is not True), None)
            if child is None:
                done[name] = True
                order.append(name)
                stack.pop()
            elif child in done:
                path = [item for item, _ in stack]
                return order, [*path[path.index(child) :], child]
            else:
                done[child] = False
                stack.append((child, iter(sorted(graph[child]))))
    return order, []


def downstream(graph: Mapping[str, frozenset[str]], order: Iterable[str], sources: frozenset[str]) -> frozenset[str]:
    """The sources and everything that depends on one of them."""
    found = set(sources)
    for name in order:
        if graph[name] & found:
            found.add(name)
    return frozenset(found)
