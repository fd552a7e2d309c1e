"""What a pack promises: the day that the words of an action name is the day by which its case is due."""

from __future__ import annotations

from collections.abc import Iterator

from app.engine.pack.checking import Parts
from app.engine.pack.documents import ActionDocument
from app.engine.problems import Problem
from app.engine.texts import LANGUAGES

_NAMED_DAY = "{action.valid_until"


def promising_problems(parts: Parts) -> Iterator[Problem]:
    """A problem for each action whose case is due on another day than its words say."""
    for found in parts.actions.values():
        opens = found.part.opens
        if opens is not None and opens.due_days is not None and _names_day(found.part):
            message = f"the words of `{found.part.action}` name the day by which it is done, and its case is due on another"
            hint = "leave `due_days:` out, so that the case is due on the day that is said, or take the day out of the words"
            yield Problem(found.place("opens", "due_days"), "case-due-unsaid", message, hint)


def _names_day(part: ActionDocument) -> bool:
    words = (script.script or script.text for script in part.channels.values())
    return any(_NAMED_DAY in getattr(text, language) for text in words if text is not None for language in LANGUAGES)
