"""What customers are answered with, beside the shapes of the record itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.pack import Pack
from app.engine.texts import Language
from app.engine.vocabulary.choices import Choice, ChoiceName
from app.record.export.plain import Plain
from app.record.export.plain_words import CHOICES, GONE
from app.record.export.words import CHANNELS


@dataclass(frozen=True, slots=True)
class StandingChoice:
    """A choice that stands until it is taken back, since when, and in words."""

    choice: ChoiceName
    channel: str | None
    action: str | None
    since: str
    words: str


@dataclass(frozen=True, slots=True)
class MyChoices:
    """Every choice that stands, oldest first."""

    choices: Sequence[StandingChoice]


@dataclass(frozen=True, slots=True)
class MyDecisions:
    """Decisions about the person, newest first. `next` is the `cursor` of the next page; none at the end."""

    decisions: Sequence[Plain]
    next: str | None


def my_choices(found: Sequence[Choice], pack: Pack, language: Language) -> MyChoices:
    """Choices as they are answered; actions are called what the pack in force calls them."""
    return MyChoices([_told(item, pack, language) for item in found])


def _told(item: Choice, pack: Pack, language: Language) -> StandingChoice:
    channel, action = (item.about if item.choice == name else None for name in ("no_channel", "no_action"))
    words = CHOICES[item.choice][language == "zh"].format(about=_about(channel, action, pack, language))
    return StandingChoice(item.choice, channel, action, item.since or "", words)


def _about(channel: str | None, action: str | None, pack: Pack, language: Language) -> str:
    if action is not None:
        found = pack.by_id.get(action)
        return GONE[language == "zh"] if found is None else found.title.say(language)
    return CHANNELS.get(channel or "", {}).get(language, channel or "")
