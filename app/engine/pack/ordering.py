"""The order in which derived facts and signals can be worked out, and the cycles that prevent it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.engine.language import mentioned


def graph_name(name: str) -> str:
    """The key under which the graph has what a tree names: a level counts as its signal."""
    return f"signal:{name.split(':')[1]}" if name.startswith("level:") else name


def mentions(text: str, plans: Iterable[str]) -> frozenset[str]:
    """Names that an expression depends on; derived ones are keys: `facts.x`, `signal:x`, `open:plan`, `plan.best_public_id`."""
    found = mentioned(text)
    return found | {f"open:{plan}" for plan in plans} if "best_fee()" in found else found


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
