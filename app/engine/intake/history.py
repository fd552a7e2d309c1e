"""Whose contact history a request is decided with: the caller's, the record's, or both."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from app.engine.vocabulary import LONGEST_HISTORY, Contact, DecisionRequest

_UNDERWAY = ("shown", "sent")
"""Results that say only that the contact was made."""


def with_history(request: DecisionRequest, recorded: Iterable[Contact], now: datetime.datetime) -> DecisionRequest:
    """The request with the contacts that its `history` wishes for.

    A contact told twice, by the caller and the record, counts once: it is the same where channel and action are, and the time to the
    second; what is left out of one telling is taken from the other. What was recorded after `as_of` counts as of then, so that no cap is
    passed by dating a request back. Of more than 5,000 contacts the latest are kept.

    Args:
        request: checked.
        recorded: the subscriber's contacts on the record.
        now: the clock.
    """
    if request.history == "caller":
        return request
    latest = request.as_of or now
    known = [_not_after(latest, contact) for contact in recorded]
    own = request.subscriber.contacts if request.history == "both" else None
    contacts = tuple(_once([*(own or ()), *known]))
    if len(contacts) > LONGEST_HISTORY:
        contacts = tuple(sorted(contacts, key=lambda contact: contact.at)[-LONGEST_HISTORY:])
    return request.model_copy(update={"subscriber": request.subscriber.model_copy(update={"contacts": contacts})})


def _not_after(latest: datetime.datetime, contact: Contact) -> Contact:
    return contact if contact.at <= latest else contact.model_copy(update={"at": latest})


def _once(contacts: Iterable[Contact]) -> Iterable[Contact]:
    found: dict[object, Contact] = {}
    for contact in contacts:
        key = (contact.at.astimezone(datetime.UTC).replace(microsecond=0), contact.channel, contact.action)
        first = found.get(key)
        found[key] = contact if first is None else _together(first, contact)
    return found.values()


def _together(first: Contact, second: Contact) -> Contact:
    """One contact, told twice: the first telling, with what only the second knows, how it ended among it."""
    more = {name: value for name in Contact.model_fields if getattr(first, name) is None and (value := getattr(second, name)) is not None}
    if first.result in _UNDERWAY and second.result is not None:
        more["result"] = second.result
    return first.model_copy(update=more)
