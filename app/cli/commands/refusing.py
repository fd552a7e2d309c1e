"""What is wrong with an option, in our words: the library that reads them speaks to programmers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_choices = re.compile(r"is not one of (.*)\.$", re.DOTALL)


class Commands(TyperGroup):
    """All commands; a value that an option cannot have is told as the API tells it, with the nearest right one."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for.

        Raises:
            typer.BadParameter: exit code 2.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            from pydantic import ValidationError

            if isinstance(error.__cause__, ValidationError):
                error.message = _in_words(error.__cause__.errors(include_url=False)[0])
            raise


def _in_words(detail: ErrorDetails) -> str:
    from app.engine.intake.wording import told
    from app.engine.problems import shown

    if detail["type"] == "value_error":
        text = str(detail["ctx"]["error"])
        words = _choices.search(text)
        if words is None:
            return text
        expected = told({**detail, "type": "literal_error", "ctx": {"expected": words[1]}})
        return f"{shown(detail['input'])} is not {expected.removeprefix('expected ')}"
    return told({**detail, "type": "float_type"} if detail["type"] == "float_parsing" else detail)
