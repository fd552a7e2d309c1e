"""What a person chose for good, put over what the caller knows: the stricter of the two holds. A choice never agrees to anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.engine.case import Case
from app.engine.decision import Failing, Outcome
from app.engine.pack.model import Action, Pack
from app.engine.vocabulary.choices import Choice

OWN_CHOICE = "own_choice"
"""The clause that keeps an action from somebody who chose so."""
_FACTS: dict[str, tuple[str, Any]] = {
    "no_marketing": ("consent.marketing", "no"),
    "no_personalisation": ("consent.personalised", "no"),
    "human_review": ("consent.human_review", True),
}
_CHANNELS = "consent.refused_channels"


def put_choices(pack: Pack, case: Case, values: list[Any], too_old: dict[str, int]) -> None:
    """Put the choices that stand over the facts, however old these are and whatever was answered meanwhile."""
    for item in case.choices:
        name, value = (_CHANNELS, None) if item.choice == "no_channel" else _FACTS.get(item.choice, ("", None))
        slot = pack.slots.get(name)
        if slot is not None:
            values[slot] = (values[slot] or frozenset()) | {item.about} if name == _CHANNELS else value
            too_old.pop(name, None)


def refused_actions(pack: Pack, case: Case) -> frozenset[str]:
    """The actions that the choices keep out: those refused and, of somebody who wants no marketing, or none on this channel, all of it."""
    found = {item.about for item in case.choices if item.choice == "no_action"}
    if any(_is_of_marketing(item, case.channel) for item in case.choices):
        found |= {action.id for action in pack.actions if action.marketing}
    return frozenset(name for name in found if name is not None)


def leave_out(actions: Iterable[Action], places: list[int], outcomes: list[Outcome | None], refused: frozenset[str]) -> list[int]:
    """Note of the refused actions that they are, and give the places of the others."""
    listed = list(actions)
    for place in places:
        if listed[place].id in refused:
            outcomes[place] = Outcome(listed[place].id, "suppressed", OWN_CHOICE, (Failing("contact", OWN_CHOICE, unknown=False),))
    return [place for place in places if listed[place].id not in refused]


def _is_of_marketing(item: Choice, channel: str) -> bool:
    return item.choice == "no_marketing" or (item.choice == "no_channel" and item.about == channel)
