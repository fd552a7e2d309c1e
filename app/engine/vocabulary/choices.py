"""What a person chose for good about how they are treated. It binds whatever a caller knows of them, until they take it back."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

ChoiceName = Literal["no_marketing", "no_personalisation", "no_channel", "no_action", "human_review"]


class Choice(NamedTuple):
    """A choice that stands.

    Attributes:
        choice: what was chosen.
        about: the channel of `no_channel`, the action of `no_action`; none of the others.
        since: when it was made, as the record writes times; none where the record could not be asked, and it is taken to stand.
        entry: id of the entry that says so; none likewise.
    """

    choice: ChoiceName
    about: str | None = None
    since: str | None = None
    entry: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON values, from which `Choice(**values)` makes an equal one."""
        return {name: value for name, value in self._asdict().items() if value is not None}


NOT_KNOWN = (Choice("no_marketing"), Choice("no_personalisation"))
"""What is taken to stand of somebody whose choices cannot be looked up: nothing is permitted on unknown."""
