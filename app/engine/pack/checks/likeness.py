"""Words that nothing declares, and that stand one slip of the pen from another one: categories of actions, words of sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from app.engine.pack.checking import Parts
from app.engine.pack.index import conditions
from app.engine.problems import Place, Problem
from app.engine.tree import Call, Const, Member, Node, Ref, walk

SHORTEST = 6
"""Shorter words are often alike without a slip."""


def likeness_problems(parts: Parts) -> Iterator[Problem]:
    """A warning for each word that stands in one place and is a slip from one that stands elsewhere."""
    used: dict[str, dict[str, list[Place]]] = defaultdict(lambda: defaultdict(list))
    for action in parts.actions.values():
        used["category"][action.part.category].append(action.place("category"))
    for thing, path, tree in conditions(parts):
        for fact, word in _words(tree):
            used[fact][word].append(thing.found.place(*path))
    for tariff in parts.tariffs.values():
        for key in ("requires", "excludes"):
            for index, word in enumerate(getattr(tariff.part, key)):
                used["services.held"][word].append(tariff.place(key, index))
    for fact, words in used.items():
        yield from _alike(fact, words)


def _words(tree: Node) -> Iterator[tuple[str, str]]:
    """Words that a condition looks for in a set, with the set."""
    for node in walk(tree):
        match node:
            case Member(item=Const(value=str() as word), collection=Ref(name=fact)):
                yield fact, word
            case Call(function="overlap", arguments=(Ref(name=fact), Const(value=frozenset() as words))):
                yield from ((fact, str(word)) for word in sorted(words, key=str))


def _alike(fact: str, words: dict[str, list[Place]]) -> Iterator[Problem]:
    for word, places in words.items():
        if len(places) == 1 and len(word) >= SHORTEST:
            other = next((name for name in words if name != word and _slip(word, name)), None)
            if other is not None and (len(words[other]), other) > (1, word):  # of two that stand alone, one is told
                what = "category" if fact == "category" else f"word of `{fact}`"
                message = f"the {what} `{word}` stands here alone, and `{other}` elsewhere"
                yield Problem(places[0], "similar-word", message, f"did you mean `{other}`?", "warning")


def _slip(one: str, other: str) -> bool:
    """Are the words one letter apart: one too many, one too few, another one, or two exchanged? Figures tell words apart."""
    if len(one) > len(other):
        one, other = other, one
    start = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    rest, more = one[start:], other[start:]
    if len(one) < len(other):
        return rest == more[1:] and not more[:1].isdigit()
    exchanged = rest[:2] == more[1::-1] and rest[2:] == more[2:]
    return exchanged or (rest[1:] == more[1:] and not (rest[:1] + more[:1]).isdigit())
