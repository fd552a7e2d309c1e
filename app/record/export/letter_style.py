"""How the letter that answers a complaint is written: its words, tables and lists in one language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.engine.texts import Language
from app.record.export.letter_words import TEXT


@dataclass(frozen=True, slots=True)
class Style:
    """Markdown in a language, with its punctuation."""

    language: Language

    def say(self, name: str, *given: object) -> str:
        """One of the letter's words."""
        return TEXT[name][self.language == "zh"].format(*given)

    def point(self, name: str, value: str) -> str:
        """An item of a list: what it tells, and the value."""
        return f"- {self.named(self.say(name), value)}"

    def row(self, *cells: str) -> str:
        """A row of a table."""
        return f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |"

    def table(self, *heads: str) -> list[str]:
        """The head of a table."""
        return [self.row(*map(self.say, heads)), self.row(*["---"] * len(heads))]

    def actions(self, number: int) -> str:
        """So many actions."""
        return self.say("1 action") if number == 1 else self.say("actions", number)

    def join(self, parts: Sequence[str]) -> str:
        """Statements in a row."""
        return ("；" if self.language == "zh" else "; ").join(parts)

    def run(self, sentences: Iterable[str]) -> str:
        """Sentences one after the other."""
        return ("" if self.language == "zh" else " ").join(sentences)

    def beside(self, *parts: str) -> str:
        """Parts of one statement."""
        return ("，" if self.language == "zh" else ", ").join(filter(None, parts))

    def enclosed(self, text: str, more: str) -> str:
        """A text with more in brackets, where there is more."""
        return text if not more else f"{text}（{more}）" if self.language == "zh" else f"{text} ({more})"

    def named(self, name: str, value: str) -> str:
        """A name and its value."""
        return f"{name}：{value}" if self.language == "zh" else f"{name}: {value}"

    def sentence(self, text: str) -> str:
        """A text as a sentence of its own."""
        return f"{text}。" if self.language == "zh" else f"{text[:1].upper()}{text[1:]}."

    def heading(self, text: str) -> str:
        """A text as the head of a list."""
        return f"- **{text[:1].upper()}{text[1:]}**"
