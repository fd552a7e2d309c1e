"""What people were seen to have chosen for good: a guess, so that those who chose are not decided twice each time.

What stands, the store says when it takes the decision; a wrong guess costs a second one.
"""

from __future__ import annotations

from app.engine.vocabulary.choices import Choice

MOST = 10_000
"""People who are kept in mind."""


class Chosen:
    """The choices of the people met last who chose something."""

    def __init__(self) -> None:
        self._choices: dict[str, tuple[Choice, ...]] = {}

    def of(self, subscriber_id: str) -> tuple[Choice, ...]:
        """What they chose, oldest first, when they were last met."""
        return self._choices.get(subscriber_id, ())

    def met(self, subscriber_id: str, choices: tuple[Choice, ...]) -> None:
        """Keep in mind what stands now."""
        self._choices.pop(subscriber_id, None)
        if choices:
            self._choices[subscriber_id] = choices
        if len(self._choices) > MOST:
            del self._choices[next(iter(self._choices))]
