"""What a person refused and since when: actions, channels, uses of their data. One refusal is one, whoever reported it and how."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.record.reading.recorded import Recorded

AGREED_TO = ("marketing", "personalised", "partner_sharing")
"""Uses of their data that a person may agree to."""
CHANNEL = "channel "
"""What `Refusal.what` begins with where a channel was refused altogether."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something the person refused.

    Attributes:
        what: an action, a use of their data, or `channel` and a channel's name.
        channel: on which an action was refused.
        since: when they first refused it; a date, where only that is known.
        times: how many contacts they refused it in; 1 of a consent.
        first_seen: nobody told when they refused it: `since` is when the record first saw that they had.
    """

    what: str
    channel: str | None
    since: str
    times: int
    first_seen: bool = False


@dataclass(frozen=True, slots=True)
class _Refused:
    """One contact that ended in a refusal: when it was made, and when the person refused."""

    action: str
    channel: str | None
    made: str
    at: str
    message: str | None

    @property
    def names(self) -> set[tuple[object, ...]]:
        """What tells it from other contacts; two that share one are the same contact."""
        found: set[tuple[object, ...]] = {(_second(time), self.channel, self.action) for time in (self.made, self.at)}
        return found | ({(self.message, self.action)} if self.message else set())


def refusals_of(contacts: Sequence[Mapping[str, Any]], entries: Sequence[Recorded]) -> list[Refusal]:
    """Everything a person refused: on our own record, and in what callers knew of them.

    Args:
        contacts: of the person, on our own record.
        entries: about the person, oldest first.
    """
    decisions = [entry for entry in entries if entry.envelope["kind"] == "decision"]
    return [*_actions([*_ours(contacts, entries), *_theirs(decisions)]), *_consents(decisions)]


def _actions(found: Sequence[_Refused]) -> Iterator[Refusal]:
    """Each action with each channel it was refused on; a contact that was told before counts once."""
    known: set[tuple[object, ...]] = set()
    said: dict[tuple[str, str | None], list[str]] = {}
    for refused in found:
        if not known & refused.names:
            said.setdefault((refused.action, refused.channel), []).append(refused.at)
        known |= refused.names
    for (action, channel), times in sorted(said.items(), key=str):
        yield Refusal(action, channel, min(times, key=_instant), len(times))


def _ours(contacts: Sequence[Mapping[str, Any]], entries: Sequence[Recorded]) -> Iterator[_Refused]:
    """Refused contacts on our own record, each with the time of the outcome that told of it."""
    told: dict[tuple[str, str], str] = {}
    for entry in entries:
        body = entry.body
        if entry.envelope["kind"] == "outcome" and body["outcome"] == "refused":
            at, contact = body.get("at", entry.envelope["at"]), (body["decision"], body["action"])
            told[contact] = min(told.get(contact, at), at, key=_instant)
    for row in contacts:
        if row["result"] == "refused":
            action, made = row["action"] or "", row["at"]
            yield _Refused(action, row["channel"], made, told.get((row["decision_id"], action), made), row["decision_id"])


def _theirs(decisions: Sequence[Recorded]) -> Iterator[_Refused]:
    """Refused contacts in the histories that decisions were made with."""
    for decision in decisions:
        for row in _known(decision).get("contacts") or ():
            if row.get("result") == "refused":
                yield _Refused(row.get("action") or "", row.get("channel"), row["at"], row["at"], row.get("message"))


def _consents(decisions: Sequence[Recorded]) -> Iterator[Refusal]:
    """What the person does not agree to as last known, since they said so; else since the record first saw it."""
    since: dict[str, tuple[str, bool]] = {}
    for decision in decisions:
        consent = _known(decision).get("consent") or {}
        refused = _not_agreed(consent)
        for name in [name for name in since if _tells_of(consent, name) and name not in refused]:
            del since[name]
        told = (consent["updated_on"], False) if consent.get("updated_on") else (decision.envelope["at"], True)
        for name in refused:
            since[name] = min(since.get(name, told), told, key=lambda found: _instant(found[0]))
    return (Refusal(name, None, first, 1, seen) for name, (first, seen) in sorted(since.items()))


def _not_agreed(consent: Mapping[str, Any]) -> set[str]:
    uses = {name for name in AGREED_TO if consent.get(name) == "no"}
    return uses | {f"{CHANNEL}{name}" for name in consent.get("refused_channels") or ()}


def _tells_of(consent: Mapping[str, Any], name: str) -> bool:
    return name in consent or (name.startswith(CHANNEL) and "refused_channels" in consent)


def _known(decision: Recorded) -> Mapping[str, Any]:
    """What was known of the subscriber."""
    known: Mapping[str, Any] = (decision.private or {}).get("case", {}).get("subscriber", {})
    return known


def _instant(text: str) -> datetime.datetime:
    """A time, or the beginning of a date, whatever its offset."""
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _second(text: str) -> datetime.datetime:
    """The instant, as finely as all systems tell it."""
    return _instant(text).astimezone(datetime.UTC).replace(microsecond=0)
