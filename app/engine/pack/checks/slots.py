"""Text slots that may have nothing to show: each must be known wherever its text is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.engine.pack.checking import GATES, Parts
from app.engine.pack.checks.knowing import NOTHING, Knowing, Known, common, union
from app.engine.pack.documents import ActionDocument
from app.engine.pack.names import BEST_PLAN
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem
from app.engine.texts import LANGUAGES, Text
from app.engine.tree import BOOLEAN, Compare, Const, Node, Not, Or, Ref

_plain = {"title", "source", "because", "legal_basis"}
"""Texts that are shown as they are written."""


def slot_problems(parts: Parts) -> Iterator[Problem]:
    """A problem for each slot that its condition does not make known, and for each in a text that has none."""
    yield from _plain_texts(parts)
    yield from _Slots(parts).run()


def _plain_texts(parts: Parts) -> Iterator[Problem]:
    """Titles, names, words of facts and sources are never filled, nor are questions."""
    sources = {found.source.file: found.source for found in parts.actions.values()} | {
        source.file: source for source, _ in parts.draft.documents
    }
    tariffs = {(found.source.file, (*found.path, "name")) for found in parts.tariffs.values()}
    pilots = {(found.source.file, ("pilot", "why")) for found in parts.actions.values()}
    for key, text in parts.texts.items():
        worded = len(key[1]) > 1 and key[1][-2] == "values"
        if key[1][-1] in _plain or worded or key in tariffs or key in pilots:
            for language in LANGUAGES:
                for slot in text.of(language).slots:
                    yield _plain_problem(sources[key[0]].place(*key[1], language), f"`{key[1][-1]}:`", slot.name)
    for found in parts.draft.each("questions"):
        for language in LANGUAGES:
            if "{" in getattr(found.part, language):
                yield _plain_problem(found.place(language), "the question", found.part.fact)


def _plain_problem(place: Place, what: str, name: str) -> Problem:
    return Problem(place, "slot", f"{what} is shown as it is written, with `{{{name}}}` in braces", "say it without the figure")


class _Slots:
    """Goes through the texts that are filled."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.draft, self.knowing = parts, parts.draft, Knowing(parts)
        self.fallbacks = {name: cause for entry, cause in parts.draft.merged("fallback") for name in entry.part}
        self.gates: dict[str, Known] = {}

    def run(self) -> Iterator[Problem]:
        """Signals, actions, tariffs, and the clauses of contact policy and guardrails."""
        for name, signal in self.parts.recognised.items():
            yield from self.signal(name, signal)
        for action in self.parts.actions.values():
            yield from self.action(action)
        for name, tariff in self.parts.tariffs.items():
            yield from self.tariff(name, tariff)
        rules: list[Found[Any]] = [*self.parts.contact.values()]
        rules += [rule for profile in self.parts.profiles.values() for rule in profile.clauses.values()]
        for rule in rules:
            yield from self.rule(rule)

    def named(self, found: Found[Any], *path: str | int) -> Iterator[tuple[Place, str]]:
        """The slots of a text, each once a language, with the place."""
        text: Text | None = self.parts.texts.get((found.source.file, (*found.path, *path)))
        for language in LANGUAGES if text is not None else ():
            for name in sorted({slot.name for slot in text.of(language).slots}) if text is not None else ():
                yield found.place(*path, language), name

    def signal(self, name: str, found: Found[Any]) -> Iterator[Problem]:
        """A signal's reasons are told at every level."""
        levels = self.parts.scopes.signals[name]
        for key in ("reason", "customer"):
            for place, slot in self.named(found, key):
                for level in levels:
                    if not self.knowing.sure(slot, self.knowing.when(Ref(f"level:{name}:{level}", BOOLEAN))):
                        what = f"`{slot}` may be unknown where `{name}` is `{level}`"
                        yield _problem(place, what, f"add `known({slot})` to the level, or name another fact")
                        break

    def rule(self, found: Found[Any]) -> Iterator[Problem]:
        """A clause's reason is told when it does not permit."""
        slots = list(self.named(found, "reason"))
        if not slots:
            return
        permits: Node = self.draft.tree(found, "permits")
        if found.part.applies is not None:
            permits = Or((Not(self.draft.tree(found, "applies")), permits))
        known = self.knowing.when(permits, truth=False)
        for place, slot in slots:
            if not self.knowing.sure(slot, known):
                what = f"`{slot}` may be unknown where `{found.part.id}` does not permit"
                yield _problem(place, what, f"add `known({slot})` to `applies:`, or name a parameter")

    def action(self, found: Found[ActionDocument]) -> Iterator[Problem]:
        """An action's texts are told when its gates are open; as a fallback, when it is eligible."""
        part = found.part
        paths: list[tuple[str | int, ...]] = [(key,) for key in ("reason", "customer", "disclose")]
        paths += [("channels", channel, "script" if script.script else "text") for channel, script in part.channels.items()]
        for path in paths:
            for place, slot in self.named(found, *path):
                yield from self.told(found, place, slot)

    def told(self, found: Found[ActionDocument], place: Place, slot: str) -> Iterator[Problem]:
        """A slot of an action's text."""
        part, name = found.part, slot
        if slot == "tariff.saving":
            if part.tariff != BEST_PLAN and part.tariff not in self.parts.scopes.plans:
                yield _problem(place, "`tariff.saving` is known for plans only", "leave it out, or name a fact")
                return
            name = "plan.best_public_saving"
        elif slot.startswith(("tariff.", "action.")):
            return
        if self.knowing.sure(name, self.open(found)):
            return
        if part.action in self.fallbacks and self.knowing.sure(name, self.open(found, fallback=False)):
            what = f"`{slot}` may be unknown where `{part.action}` stands in for an empty list ({self.fallbacks[part.action]})"
            yield _problem(place, what, f"then only `eligible:` is looked at: add `known({name})` there, or name no figure")
        else:
            what = f"`{slot}` may be unknown where the gates of `{part.action}` are open"
            yield _problem(place, what, f"add `known({name})` to `suitable:`, or name a fact that a gate looks at")

    def open(self, found: Found[ActionDocument], fallback: bool = True) -> Known:
        """What is known where an action may be told; `fallback`: also where it stands in for an empty list."""
        part = found.part
        only_eligible = fallback and part.action in self.fallbacks
        key = f"{part.action}:{only_eligible}"
        if key not in self.gates:
            trees = [self.draft.tree(found, gate, name) for gate in GATES[:1] if only_eligible for name in getattr(part, gate)]
            trees += [self.draft.tree(found, gate, name) for gate in GATES if not only_eligible for name in getattr(part, gate)]
            known = [self.knowing.when(tree) for tree in [*trees, *self.sold(part)]]
            concession = self.draft.tree(found, "concession")
            known += [self.knowing.when(Compare(">=", concession, Const(0, concession.type)))]
            self.gates[key] = union([*known, NOTHING if only_eligible else self.placed(part)])
        return self.gates[key]

    def sold(self, part: ActionDocument) -> list[Node]:
        """The clause that the engine adds for the action's tariff."""
        if part.tariff == BEST_PLAN:
            plan = self.parts.scopes.with_port[BEST_PLAN]
            return [Compare("!=", plan, Const("none", plan.type))]
        return [self.parts.opened[part.tariff]] if part.tariff is not None else []

    def placed(self, part: ActionDocument) -> Known:
        """What the phases of an action have in common, where none of them is what is left over."""
        known: list[Known] = []
        for found in self.draft.each("phases"):
            if found.part.id in part.phases:
                clauses = [self.draft.tree(found, "any", name) for name in found.part.any]
                known.append(common([self.knowing.when(tree) for tree in clauses]) if clauses else NOTHING)
        return common(known) if known else NOTHING

    def tariff(self, name: str, found: Found[Any]) -> Iterator[Problem]:
        """What must be told of a tariff is told with each action that offers it."""
        offers = [
            item
            for item in self.parts.actions.values()
            if item.part.tariff == name or (item.part.tariff == BEST_PLAN and found.part.kind == "plan")
        ]
        for place, slot in self.named(found, "disclose"):
            if slot == "tariff.saving" or slot.startswith("action."):
                yield _problem(place, f"`{slot}` is not known in what must be told of a tariff", "name it in the action's own texts")
            elif not slot.startswith("tariff."):
                short = next((item for item in offers if not self.knowing.sure(slot, self.open(item))), None)
                if short is not None:
                    what = f"`{slot}` may be unknown where `{short.part.action}` offers `{name}`"
                    yield _problem(place, what, "name what the tariff itself says")


def _problem(place: Place, message: str, hint: str) -> Problem:
    return Problem(place, "slot-unknown", f"{message}, and shows as a dash", hint)
