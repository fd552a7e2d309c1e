"""The lines of a pack in one language: what is said of each signal, and of each action on a channel."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from app.campaign.wording.filling import EACH, Line, Other, Said, line_of
from app.engine.once import once_a_pack
from app.engine.texts import LANGUAGES, Language

if TYPE_CHECKING:
    from app.engine.pack.model import Action, Pack, Tariff

Tables = dict[str, str]


class Lines:
    """The lines of a pack in one language, each made when it is first wanted."""

    def __init__(self, pack: Pack, language: Language) -> None:
        self.pack, self.language = pack, language
        self._kept: dict[Hashable, Line] = {}

    def signal(self, name: str, *, customers: bool = False) -> Line:
        """A signal's `text`, and its words for a `customer` where they are wanted."""
        signal = self.pack.signals[name]
        texts: dict[str, Said] = {"text": (signal.reason, None), "customer": (signal.customer if customers else None, None)}
        return self._once((name, customers), lambda: line_of(self.pack, self.language, texts))

    def action(self, action: Action, channel: str, tariff: str | None, *, customers: bool = False) -> Line:
        """What is said of an action and the tariff it sells: `text`, `disclose`, `tariff_disclose`, and its own `reason`, with that for a
        `customer` where it is wanted."""
        return self._once((action.id, channel, tariff, customers), lambda: self._action(action, channel, tariff, customers))

    def _action(self, action: Action, channel: str, tariff: str | None, customers: bool) -> Line:
        found = self.pack.tariffs.get(tariff) if tariff else None
        of_action = _of_action(found, self.language)
        texts: dict[str, Said] = {
            "text": (action.channels[channel][1], of_action),
            "disclose": (action.disclose, of_action),
            "reason": (action.reason, of_action),
            "customer": (action.customer if customers else None, of_action),
            "tariff_disclose": (found.disclose if found else None, _of_tariff(found, self.language)),
        }
        return line_of(self.pack, self.language, texts)

    def _once(self, key: Hashable, make: Callable[[], Line]) -> Line:
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    @cached_property
    def actions(self) -> pl.DataFrame:
        """What is the same wherever an action is told, and for how many days it holds."""
        columns = ("action", "title", "kind", "category", "approve", "confirm", "valid_days")
        rows = [
            (item.id, item.title.say(self.language), item.kind, item.category, item.approve, item.confirm, item.valid_days)
            for item in self.pack.actions
        ]
        return pl.DataFrame(rows, {name: pl.Int64 if name == "valid_days" else pl.String for name in columns}, orient="row")

    @cached_property
    def resting(self) -> pl.DataFrame:
        """The signals that actions rest on: `action`, the signal as `code`, and its `place` among them."""
        rows = [(action.id, name, place) for action in self.pack.actions for place, name in enumerate(action.signals)]
        return pl.DataFrame(rows, {"action": pl.String, "code": pl.String, "place": pl.UInt16}, orient="row")

    @cached_property
    def tariffs(self) -> Tables:
        """Names of tariffs."""
        return {name: tariff.name.say(self.language) for name, tariff in self.pack.tariffs.items()}

    @cached_property
    def signals(self) -> Tables:
        """Titles of signals."""
        return {name: signal.title.say(self.language) for name, signal in self.pack.signals.items()}

    @cached_property
    def phases(self) -> Tables:
        """Titles of phases."""
        return {phase.id: phase.title.say(self.language) for phase in self.pack.phases}

    @cached_property
    def stages(self) -> Tables:
        """Titles of stages."""
        return {stage.id: stage.title.say(self.language) for stage in self.pack.stages}


@once_a_pack
def lines_of(pack: Pack) -> dict[Language, Lines]:
    """The pack's lines by language."""
    return {language: Lines(pack, language) for language in LANGUAGES}


def _of_action(tariff: Tariff | None, language: Language) -> Other:
    of_tariff = _of_tariff(tariff, language)

    def value(name: str) -> Any:
        if name.startswith("action.") or (name == "tariff.saving" and tariff is not None):
            return EACH
        return of_tariff(name)

    return value


def _of_tariff(tariff: Tariff | None, language: Language) -> Other:
    """What a text names of a tariff; what it saves is not told by the tariff's own."""

    def value(name: str) -> Any:
        field = name.partition(".")[2]
        return None if tariff is None else tariff.name.say(language) if field == "name" else getattr(tariff, field, None)

    return value
