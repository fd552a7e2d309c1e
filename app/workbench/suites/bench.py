"""A pack in every form that suites ask for: under each jurisdiction, and with the guardrails alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.engine.pack import Pack, assembled, parts_of
from app.engine.pack.checking import Parts


class Bench:
    """The files of a pack, and the packs made of them so far.

    Raises:
        PackError: the files make no pack.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.home = parts_of(files)
        self.jurisdiction: str = _head(self.home)
        self._parts: dict[str, Parts] = {self.jurisdiction: self.home}
        self._packs: dict[tuple[str, bool], Pack] = {}

    @property
    def jurisdictions(self) -> tuple[str, ...]:
        """The jurisdictions that the pack has guardrails for."""
        return tuple(self.home.profiles)

    def parts(self, jurisdiction: str) -> Parts:
        """The pack's parts with that jurisdiction's guardrails in force: all profiles of a pack are read and checked."""
        if jurisdiction not in self._parts:
            profile = self.home.profiles[jurisdiction]
            self._parts[jurisdiction] = replace(self.home, guardrails=profile.clauses, hands_off=profile.hands_off)
        return self._parts[jurisdiction]

    def pack(self, jurisdiction: str, *, guardrails_alone: bool = False) -> Pack:
        """The pack with that jurisdiction in force; `guardrails_alone` leaves the contact policy out."""
        key = jurisdiction, guardrails_alone
        if key not in self._packs:
            if guardrails_alone:
                self._packs[key] = without_contact(self.pack(jurisdiction))
            else:
                self._packs[key] = replace(assembled(self.parts(jurisdiction), self.files), jurisdiction=jurisdiction)
        return self._packs[key]


def without_contact(pack: Pack) -> Pack:
    """The pack with no contact policy, so that only the guardrails stand between an action and the person."""
    return replace(pack, actions=tuple(replace(action, contact=()) for action in pack.actions))


def _head(parts: Parts) -> str:
    head = parts.draft.single("pack")
    if head is None:
        raise AssertionError("checked before")
    return str(head.part.jurisdiction)
