"""Which pack decides at a time: worked out from the steps alone, the same however they are read."""

import datetime
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.record.packs.history import SEED, History, Step, same_person, shortened
from app.record.store.database import stamp

pytestmark = pytest.mark.unit

START = datetime.datetime(2026, 11, 22, 10, tzinfo=datetime.UTC)
PACKS = ["sha256:" + letter * 64 for letter in "abcd"]
A, B, C, D = PACKS


def at(minutes: float) -> str:
    return stamp(START + datetime.timedelta(minutes=minutes))


class Steps:
    """Writes a history down, a step a minute."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.minute = 0.0

    def take(self, step: str, digest: str, effective: float | None = None, by: str = "ann") -> "Steps":
        self.minute += 1
        since = at(self.minute if effective is None else effective) if step in ("activated", "rolled_back", "development") else None
        number = f"{len(self.steps):08}"
        self.steps.append(Step(number, digest, step, at(self.minute), by, since))  # type: ignore[arg-type]
        return self

    def ready(self, *digests: str) -> "Steps":
        for digest in digests:
            self.take("published", digest).take("approved", digest, by="bob")
        return self

    @property
    def history(self) -> History:
        return History.of(self.steps)

    def active(self, minute: float | None = None) -> str | None:
        found = self.history.active(at(self.minute if minute is None else minute))
        return found.digest if found is not None else None


def test_nothing_is_active_before_an_activation() -> None:
    """Publishing and approving put nothing in force."""
    assert Steps().active() is None
    assert Steps().ready(A, B).active() is None


def test_the_later_activation_decides() -> None:
    """From its time on, and the one before it until then."""
    steps = Steps().ready(A, B).take("activated", A).take("activated", B)
    assert [steps.active(minute) for minute in (4, 5, 5.5, 6, 60)] == [None, A, A, B, B]


def test_an_activation_may_wait_for_its_time() -> None:
    """Scheduled ones take force at their time, in the order of their times, whatever the order they were made in."""
    steps = Steps().ready(A, B, C).take("activated", A).take("activated", B, 60).take("activated", C, 30)
    assert [steps.active(minute) for minute in (20, 30, 59, 60)] == [A, C, C, B]
    assert [step.digest for step in steps.history.scheduled(at(20))] == [C, B]
    assert [step.digest for step in steps.history.scheduled(at(20), B)] == [B]
    assert steps.history.scheduled(at(60)) == ()


def test_what_was_withdrawn_does_not_take_force() -> None:
    """A withdrawal undoes what is scheduled of its pack, and nothing of what is already in force or of others."""
    steps = Steps().ready(A, B, C).take("activated", A).take("activated", B, 60).take("activated", C, 90).take("withdrawn", B)
    assert [steps.active(minute) for minute in (60, 90)] == [A, C]
    steps.take("withdrawn", A)
    assert steps.active() == A


def test_what_was_withdrawn_may_be_scheduled_again() -> None:
    """A withdrawal counts for what came before it."""
    steps = Steps().ready(A, B).take("activated", A).take("activated", B, 60).take("withdrawn", B).take("activated", B, 70)
    assert [steps.active(minute) for minute in (60, 70)] == [A, B]


def test_a_rollback_goes_back_along_the_line() -> None:
    """To the pack before, and once more to the one before that: never forward to the one that was left."""
    steps = Steps().ready(A, B, C).take("activated", A).take("activated", B).take("activated", C).take("rolled_back", B)
    assert steps.active() == B
    assert [step.digest for step in steps.history.line(at(steps.minute))] == [A, B]
    assert steps.take("rolled_back", A).active() == A
    assert len(steps.history.line(at(steps.minute))) == 1


def test_two_who_roll_back_at_once_go_back_one_step() -> None:
    """Both name the pack they meant."""
    steps = Steps().ready(A, B, C).take("activated", A).take("activated", B).take("activated", C)
    assert steps.take("rolled_back", B).take("rolled_back", B).active() == B
    assert [step.digest for step in steps.history.line(at(steps.minute))] == [A, B]


def test_activating_what_is_active_changes_nothing() -> None:
    """Not even what a rollback goes back to, nor since when it holds."""
    steps = Steps().ready(A, B).take("activated", A).take("activated", B).take("activated", B)
    assert [step.since for step in steps.history.line(at(60))] == [at(5), at(6)]


def test_what_nobody_approved_does_not_take_force() -> None:
    """A row that somebody writes into the store puts no pack in force without an approval before it."""
    steps = Steps().ready(A).take("activated", A).take("published", B).take("activated", B)
    assert steps.active() == A
    assert steps.take("approved", B).active() == A
    assert steps.take("rejected", B).take("activated", B).active() == A


def test_a_rejection_withdraws_what_is_scheduled() -> None:
    """An approval taken back counts before the time comes, and not for what decided already."""
    steps = Steps().ready(A, B).take("activated", A).take("activated", B, 60).take("rejected", B)
    assert steps.active(60) == A
    assert steps.take("rejected", A).active() == A


def test_what_development_ran_is_not_in_force() -> None:
    """It is told apart: a store that leaves development mode has nothing in force that nobody approved."""
    steps = Steps().take("published", A).take("development", A).take("published", B).take("development", B)
    assert steps.active() is None
    followed = steps.history.followed()
    assert followed is not None
    assert followed.digest == B
    assert Steps().history.followed() is None


def test_steps_of_one_moment_count_in_the_order_of_their_ids() -> None:
    """At one time the one that was taken last decides, and a schedule gives way to what is done at its very time."""
    same = [Step(number, digest, "activated", at(10), "ann", at(10)) for number, digest in (("2", B), ("1", A))]
    ready = Steps().ready(A, B, C).steps
    active = History.of([*same, *ready]).active(at(10))
    assert active is not None
    assert active.digest == B
    scheduled = Step("0", C, "activated", at(9), "ann", at(10))
    active = History.of([*same, scheduled, *ready]).active(at(10))
    assert active is not None
    assert active.digest == B


def test_states_of_a_pack() -> None:
    """From published to retired."""
    steps = Steps().take("published", A).take("published", B).take("published", C).take("published", D)
    steps.take("approved", B).take("rejected", C).take("approved", D)
    steps.take("activated", B).take("activated", D, 60)
    assert [steps.history.state(digest, at(20)) for digest in PACKS] == ["published", "active", "rejected", "scheduled"]
    assert [steps.history.state(digest, at(60)) for digest in (B, D)] == ["retired", "active"]
    assert steps.take("withdrawn", D).history.state(D, at(20)) == "approved"
    assert steps.take("published", C).history.state(C, at(20)) == "published"
    assert steps.take("published", B).history.state(B, at(20)) == "active"


def test_names_of_one_person() -> None:
    """Case, width and spaces make no other person; the seed may approve what it published."""
    assert same_person("Ann Li", " ann  li ")
    assert same_person("ＡＮＮ", "ann")
    assert not same_person("ann", "bob")
    assert not same_person(SEED, SEED)
    assert shortened(A) == "a" * 12


class Clockwork:
    """Another way to the same: lives through the steps one by one, and lets what is scheduled take force as time goes by."""

    def __init__(self) -> None:
        self.verdicts: dict[str, str] = {}
        self.pending: list[tuple[str, str, str, str]] = []
        self.line: list[str] = []

    def until(self, moment: str, *, including: bool) -> None:
        due = [item for item in self.pending if item[0] < moment or (including and item[0] == moment)]
        for item in sorted(due):
            self.pending.remove(item)
            self.force(item[3])

    def force(self, digest: str) -> None:
        if self.line[-1:] != [digest]:
            self.line.append(digest)

    def live(self, step: Step) -> None:
        self.until(step.at, including=True)
        digest, approved = step.digest, self.verdicts.get(step.digest) == "approved"
        if step.step in ("approved", "rejected"):
            self.verdicts[digest] = step.step
        if step.step == "published" and not approved:
            self.verdicts.pop(digest, None)
        if step.step in ("withdrawn", "rejected"):
            self.pending = [item for item in self.pending if item[3] != digest]
        if step.step == "activated" and approved:
            since = step.effective_at or step.at
            if since == step.at:
                self.force(digest)
            else:
                self.pending.append((since, step.at, step.entry_id, digest))
        if step.step == "rolled_back" and approved:
            self.line = self.line[:-1]
            while digest in self.line and self.line[-1] != digest:
                self.line.pop()
            self.force(digest)


def random_steps(seed: int, count: int) -> list[Step]:
    """Steps as they come, few minutes apart, many at equal times, with schedules among them."""
    dice, minute, steps = random.Random(seed), 0, []
    for number in range(count):
        minute += dice.choice([0, 0, 1, 2])
        kind = dice.choice(["published", "approved", "approved", "rejected", "withdrawn", "rolled_back", "development", *["activated"] * 5])
        ahead = dice.choice([0, 0, 1, 3, 9]) if kind == "activated" else 0
        since = at(minute + ahead) if kind in ("activated", "rolled_back", "development") else None
        steps.append(Step(f"{number:08}", dice.choice(PACKS), kind, at(minute), "ann", since))  # type: ignore[arg-type]
    return steps


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 60))
def test_random_histories_agree_with_living_through_them(seed: int, count: int, minute: int) -> None:
    """Whatever was done, at whatever time; and in whatever order the rows are read."""
    steps = random_steps(seed, count)
    clockwork = Clockwork()
    for step in steps:
        if step.at <= at(minute):
            clockwork.live(step)
    clockwork.until(at(minute), including=True)
    shuffled = random.Random(seed).sample(steps, len(steps))
    assert [step.digest for step in History.of(shuffled).line(at(minute))] == clockwork.line


@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 60))
def test_what_is_done_later_does_not_change_the_past(seed: int, count: int, minute: int) -> None:
    """What decided at a time is told the same for ever."""
    steps = random_steps(seed, count)
    then = [step for step in steps if step.at <= at(minute)]
    assert History.of(steps).line(at(minute)) == History.of(then).line(at(minute))
