"""Whom a request is about: of the parties that it names the one person who is meant, and never a guess between two."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.api.tmf.liberal import GivenReference
from app.engine.intake import FieldProblem, RequestError

ABOUT = ("subscriber", "customer")
"""Roles of whom it is about."""
OTHERS = frozenset(
    {
        "agent",
        "csr",
        "employee",
        "salesagent",
        "salesperson",
        "seller",
        "technician",
        "dealer",
        "distributor",
        "manufacturer",
        "operator",
        "partner",
        "provider",
        "reseller",
        "retailer",
        "serviceprovider",
        "supplier",
        "vendor",
    }
)
"""Roles, without spaces, marks and capitals, of those whom it is never about: our own people, and who makes, sells and delivers."""
_OTHER_TYPES = frozenset({"employee", "organisation", "organization"})
_WHOM = "give whom it is about the role `subscriber` or `customer`, or their id alone as `subscriber.id`"


def party_of(parties: Sequence[GivenReference], told: str | None, subject: str | None) -> GivenReference | None:
    """The party whom a request is about; none where it is about none of them.

    Args:
        parties: as they were given.
        told: `subscriber.id` of the request.
        subject: the subscriber that the caller's token names.

    Raises:
        RequestError: two different persons may be meant, or one who is not said to be.
    """
    meant = _meant(parties)
    by_id = {party.id: party for party in meant}
    if told is not None and told in by_id:
        return by_id[told]
    if len(by_id) > 1:
        raise _refused(f"names {len(by_id)} whom it may be about; {_WHOM}")
    if not by_id:
        if told is None and subject is None and any(map(_may_be, parties)):
            raise _refused(f"names somebody, but not as whom it is about; {_WHOM}")
        return None
    (party,) = by_id.values()
    if told is not None:
        raise RequestError([FieldProblem("subscriber.id", "is another than that of `relatedParty`; leave one of them out")])
    if _role(party) not in ABOUT and any(map(_may_be, (other for other in parties if other.id != party.id))):
        raise _refused(f"names several whom it may be about; {_WHOM}")
    return party


def _meant(parties: Sequence[GivenReference]) -> Sequence[GivenReference]:
    """Those with a role of whom it is about; without any, those with no role."""
    return [party for party in parties if _role(party) in ABOUT] or [party for party in parties if not _role(party) and _may_be(party)]


def _may_be(party: GivenReference) -> bool:
    """May it be about this party, by their role and kind?"""
    return _role(party) not in OTHERS and _plain(party.referred_type) not in _OTHER_TYPES


def _role(party: GivenReference) -> str:
    return _plain(party.role)


def _plain(text: str | None) -> str:
    return re.sub(r"[^a-z]", "", (text or "").lower())


def _refused(message: str) -> RequestError:
    return RequestError([FieldProblem("relatedParty", message)])
