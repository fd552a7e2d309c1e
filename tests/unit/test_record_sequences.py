"""The numbers of writers: gaps are told, neighbours that changed places are not."""

from app.record.verifying.sequences import Sequences


def test_neighbours_that_changed_places_are_no_gap_however_many_they_are() -> None:
    """A commit's entries may be sealed in another order than they were numbered; in a long log that happens very often."""
    sequences = Sequences(from_start=True)
    numbers = [number + (1 if number % 2 else -1) for number in range(1, 6_001)]
    assert all(sequences.see("w-1", number, leaf) for leaf, number in enumerate(numbers))
    assert list(sequences.missing(lambda _: False)) == []
    assert not sequences.see("w-1", 17, 6_000)


def test_every_number_that_never_came_is_told() -> None:
    """With the leaf before which it is missing; one that comes later fills its part of a gap."""
    sequences = Sequences(from_start=True)
    for leaf, number in enumerate([1, 2, 9, 5]):
        assert sequences.see("w-1", number, leaf)
    told = [(finding.message.split(" of ")[0], finding.leaf) for finding in sequences.missing(lambda _: False)]
    assert told == [("numbers 3 to 4", 2), ("numbers 6 to 8", 2)]


def test_where_too_much_is_missing_a_late_number_is_not_called_used_twice() -> None:
    """Only so many gaps are remembered; a number from one of the others may be the first of its kind."""
    sequences = Sequences(from_start=True)
    assert all(sequences.see("w-1", number, number) for number in range(2, 4_002, 2))
    assert sequences.see("w-1", 3_999, 4_002)
    assert len(list(sequences.missing(lambda _: False))) == 1_000
