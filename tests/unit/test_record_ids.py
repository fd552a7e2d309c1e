"""Ids of entries."""

import datetime
import uuid

import pytest

from app.record.ids import Ids

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)


@pytest.mark.unit
class TestIds:
    def test_they_are_uuids_of_version_7(self) -> None:
        """Version, variant and milliseconds are where RFC 9562 puts them."""
        written = Ids().new(NOW)
        made = uuid.UUID(written)
        assert written == str(made)
        assert (made.version, made.variant) == (7, uuid.RFC_4122)
        assert made.int >> 80 == int(NOW.timestamp() * 1000)

    def test_they_only_grow(self) -> None:
        """Within a millisecond, and when the clock steps back, ids still grow."""
        ids = Ids()
        times = [NOW] * 3_000 + [NOW - datetime.timedelta(seconds=5)] * 100 + [NOW + datetime.timedelta(milliseconds=1)]
        made = [ids.new(time) for time in times]
        assert made == sorted(set(made))
        assert all(uuid.UUID(one).version == 7 for one in made)

    def test_they_cannot_be_guessed(self) -> None:
        """Two series for the same millisecond differ."""
        assert Ids().new(NOW) != Ids().new(NOW)
