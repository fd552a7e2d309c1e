"""Time zones by their names in the IANA's list: the same for packs and for subscribers."""

from __future__ import annotations

import functools
import zoneinfo

_NO_PLACES = {"Factory", "localtime", "posixrules"}
_OTHER_COUNTS = ("posix/", "right/")


@functools.cache
def zone_names() -> frozenset[str]:
    """The names in the list, without files beside it such as that of this machine's own zone, which is not everywhere the same."""
    return frozenset(name for name in zoneinfo.available_timezones() - _NO_PLACES if not name.startswith(_OTHER_COUNTS))


def zone_named(name: str) -> zoneinfo.ZoneInfo | None:
    """The zone of the name; none where the list has no such name."""
    return zoneinfo.ZoneInfo(name) if name in zone_names() else None
