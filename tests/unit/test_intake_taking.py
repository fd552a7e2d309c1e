"""From a request to a case: times, history, zones, own facts, answers, and who may concede how much."""

import contextlib
import datetime
import json
import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.case import Case
from app.engine.intake import CaseError, FieldProblem, RequestError, answer_value, parse_request, take
from app.engine.pack import Pack
from app.engine.runtime import NEVER
from app.engine.tree import Type
from app.engine.vocabulary import DecisionRequest
from app.engine.vocabulary.examples import EXAMPLES

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
OWN = {
    "custom.band": Type("enum", values=("a", "b")),
    "custom.visits": Type("number", integral=True, most=100.0),
    "custom.share": Type("number"),
    "custom.note": Type("text"),
    "custom.flag": Type("boolean"),
    "custom.last_visit": Type("date"),
    "custom.tags": Type("set"),
    "custom.kinds": Type("set", values=("x", "y")),
    "custom.bills": Type("series"),
}
ASKED = (
    "home.has_broadband",
    "home.measured_mbps",
    "contract.commitment_end",
    "services.held",
    "usage.data_mb",
    "vip.tier",
    "network.dropped_call_rate",
)
PACK = cast(
    "Pack",
    SimpleNamespace(
        zone="Asia/Shanghai",
        custom=OWN,
        questions=dict.fromkeys(ASKED),
        choosing=SimpleNamespace(concession={"agent": 3000, "leader": 10_000}, concession_year={}),
    ),
)


def case(*, role: str = "agent", now: datetime.datetime = NOW, subscriber: dict[str, Any] | None = None, **fields: Any) -> Case:
    body = {"channel": "app", "subscriber": {"id": "s-1", **(subscriber or {})}, **fields}
    return take(PACK, parse_request(json.dumps(body).encode()), now=now, role=role)


def refused(**fields: Any) -> dict[str, str]:
    """What is said about each field of a request that makes no case."""
    with pytest.raises(CaseError) as error:
        case(**fields)
    return {problem.field: problem.message for problem in error.value.problems}


def at(minutes: float) -> str:
    return (NOW + datetime.timedelta(minutes=minutes)).isoformat()


class TestTimes:
    def test_live_holds_now(self) -> None:
        """Left out, `as_of` is the clock and the contact is now; day and minute are those of the pack's zone."""
        times = case().times
        assert (times.as_of, times.contact_at) == (NOW, NOW)
        assert (times.today, times.contact_day, times.contact_minute, times.offset) == (
            datetime.date(2026, 11, 22),
            datetime.date(2026, 11, 22),
            600,
            480,
        )

    @pytest.mark.parametrize("minutes", [-5, -4.9, 0, 4.9, 5])
    def test_live_may_be_five_minutes_off(self, minutes: float) -> None:
        """Clocks differ: five minutes either way is live."""
        assert case(as_of=at(minutes)).times.as_of == NOW + datetime.timedelta(minutes=minutes)

    @pytest.mark.parametrize("minutes", [-5.1, 5.1, -100_000])
    def test_live_is_no_other_time(self, minutes: float) -> None:
        """A live request about another time is refused, and what-if is named."""
        assert "mode: what_if" in refused(as_of=at(minutes))["as_of"]

    def test_what_if_is_any_time(self) -> None:
        """What-if holds at the time it names."""
        assert case(mode="what_if", as_of="2020-02-29T23:30:00+08:00").times.today == datetime.date(2020, 2, 29)

    @pytest.mark.parametrize(("days", "says"), [(-0.01, "is before `as_of`"), (90.01, "more than 90 days")])
    def test_the_contact_is_later_but_not_much(self, days: float, says: str) -> None:
        """Nobody is contacted before the facts hold, or a season after."""
        assert says in refused(contact_at=at(days * 1440))["contact_at"]

    def test_a_job_at_night_plans_for_the_morning(self) -> None:
        """The contact has its own day and minute."""
        times = case(contact_at="2026-11-23T09:15:00+08:00").times
        assert (times.today, times.contact_day, times.contact_minute) == (datetime.date(2026, 11, 22), datetime.date(2026, 11, 23), 555)

    def test_the_subscriber_has_a_zone(self) -> None:
        """Local times are those of the subscriber's zone; the offset is the contact's, west negative."""
        times = case(subscriber={"zone": "America/New_York"}).times
        assert (times.today, times.contact_minute, times.offset) == (datetime.date(2026, 11, 21), 21 * 60, -300)

    def test_summer_time_is_that_of_the_contact(self) -> None:
        """A contact after the clocks change has the other offset."""
        found = case(mode="what_if", as_of="2026-03-28T12:00:00Z", contact_at="2026-03-30T12:00:00Z", subscriber={"zone": "Europe/Berlin"})
        assert (found.times.as_of.hour, found.times.contact_minute, found.times.offset) == (13, 14 * 60, 120)

    @pytest.mark.parametrize("zone", ["Asia/Shangai", "America", "Mars/Olympus", "asia", "localtime", "right/UTC", "Factory"])
    def test_an_unknown_zone_is_refused(self, zone: str) -> None:
        """A name that is no zone, and a folder of zones, are refused by the field."""
        assert "is not a time zone" in refused(subscriber={"zone": zone})["subscriber.zone"]


class TestHistory:
    def test_live_history_is_past(self) -> None:
        """Each event and contact after `as_of` is named, at `as_of` it is history."""
        events = [{"type": "fault", "at": at(0)}, {"type": "fault", "at": at(0.001)}]
        contacts = [{"at": at(-1)}, {"at": at(1)}, {"at": at(2)}]
        found = refused(subscriber={"events": events, "contacts": contacts})
        assert list(found) == ["subscriber.events.1.at", "subscriber.contacts.1.at", "subscriber.contacts.2.at"]

    def test_the_date_before_may_be_after(self) -> None:
        """What counts is the moment: where offsets lie far apart, it may be later than `as_of` and dated two days before."""
        now, later = "2026-11-24T00:00:00+23:59", "2026-11-22T23:50:00-23:59"
        found = refused(
            now=datetime.datetime.fromisoformat(now),
            as_of=now,
            subscriber={"plan": {"as_of": later}, "events": [{"type": "fault", "at": later}], "contacts": [{"at": later}]},
        )
        assert list(found) == ["subscriber.plan.as_of", "subscriber.events.0.at", "subscriber.contacts.0.at"]

    def test_live_facts_are_not_of_the_future(self) -> None:
        """A section may be five minutes ahead, as clocks are, and no more."""
        assert case(subscriber={"plan": {"as_of": at(5)}})
        assert list(refused(subscriber={"plan": {"as_of": at(5.1)}})) == ["subscriber.plan.as_of"]

    def test_what_if_knows_nothing_later(self) -> None:
        """Later events, contacts and sections are left out of the case; what is earlier stays."""
        then = "2026-06-01T00:00:00+00:00"
        found = case(
            mode="what_if",
            as_of=then,
            subscriber={
                "plan": {"as_of": at(0), "monthly_fee": 1},
                "account": {"as_of": "2026-05-01T00:00:00Z", "status": "active"},
                "events": [{"type": "fault", "at": at(0)}, {"type": "fix", "at": then}],
                "contacts": [{"at": at(0)}],
            },
        ).subscriber
        assert found.plan is None
        assert found.account is not None
        assert [event.type for event in found.events or ()] == ["fix"]
        assert found.contacts == ()

    def test_unknown_history_stays_unknown(self) -> None:
        """Left out is not the same as empty."""
        assert case(mode="what_if").subscriber.events is None


class TestWhoAsks:
    @pytest.mark.parametrize(("role", "limit"), [("agent", 3000), ("leader", 10_000), ("self_service", 0), ("development", 10_000)])
    def test_a_role_has_its_limit(self, role: str, limit: int) -> None:
        """Limits come from the pack; development has the highest, an unknown role none."""
        assert case(role=role).asker.concession_limit == limit


class TestAnswers:
    @pytest.mark.parametrize(
        ("fact", "given_", "value"),
        [
            ("home.has_broadband", True, True),
            ("home.measured_mbps", 100, 100),
            ("home.measured_mbps", 100.0, 100),
            ("network.dropped_call_rate", 0.5, 0.5),
            ("contract.commitment_end", "2027-01-31", datetime.date(2027, 1, 31).toordinal()),
            ("contract.commitment_end", None, NEVER),
            ("services.held", ["b", "a", "b"], frozenset("ab")),
            ("usage.data_mb", [1, None, 3], (1, None, 3)),
            ("vip.tier", "gold", "gold"),
            ("custom.band", "a", "a"),
            ("custom.visits", 3.0, 3),
            ("custom.share", 0.5, 0.5),
            ("custom.note", "x", "x"),
            ("custom.flag", False, False),
            ("custom.last_visit", "2026-01-02", datetime.date(2026, 1, 2).toordinal()),
            ("custom.last_visit", None, NEVER),
            ("custom.tags", ["b", "a"], frozenset("ab")),
            ("custom.bills", [1.5, None], (1.5, None)),
            ("custom.note", None, None),
        ],
    )
    def test_an_answer_is_a_value(self, fact: str, given_: object, value: object) -> None:
        """JSON becomes what the engine computes with, also after it was recorded."""
        found = answer_value(PACK, fact, given_)
        assert (found, type(found)) == (value, type(value))
        assert answer_value(PACK, fact, json.loads(json.dumps(given_))) == value

    @pytest.mark.parametrize(
        ("fact", "given_", "says"),
        [
            ("home.has_broadband", 1, "true or false"),
            ("home.has_broadband", None, "leave it out"),
            ("home.measured_mbps", -1, "at least 0"),
            ("contract.commitment_end", "soon", "a date from 1900 on"),
            ("vip.tier", "golden", "did you mean `gold`?"),
            ("services.held", "a", "an array"),
            ("usage.data_mb", [1.5], "a whole number"),
        ],
    )
    def test_an_answer_is_held_to_its_fact(self, fact: str, given_: object, says: str) -> None:
        """Type, bounds and words of a fact hold for answers as for the request."""
        assert says in refused(answers={fact: given_})[f"answers.{fact}"]

    def test_only_what_was_asked_is_answered(self) -> None:
        """A fact the pack has no question for is not taken from a caller."""
        assert "did you mean `home.has_broadband`?" in refused(answers={"home.broadband": True})["answers.home.broadband"]

    def test_answers_stay_as_they_came(self) -> None:
        """The case holds JSON values."""
        answers = {"contract.commitment_end": "2027-01-31", "services.held": ["b", "a"], "usage.data_mb": [1, None]}
        assert case(answers=answers).answers == answers
        assert case().answers == {}


class TestOwnFacts:
    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            ("bnad", "a", "did you mean `band`?"),
            ("band", "c", "expected one of a, b"),
            ("band", 1, "expected text"),
            ("visits", 1.5, "a whole number"),
            ("visits", 101, "at most 100"),
            ("visits", True, "a number"),
            ("share", "1", "a number"),
            ("note", 1, "text"),
            ("flag", "yes", "true or false"),
            ("last_visit", "2026-02-30", "a date"),
            ("last_visit", 5, "a date"),
            ("tags", "a", "an array"),
            ("tags", [1], "text"),
            ("kinds", ["z"], "expected one of x, y"),
            ("bills", 1, "an array"),
            ("bills", ["1"], "a number"),
            ("bills", [1] * 37, "at most 36"),
        ],
    )
    def test_they_are_held_to_the_pack(self, name: str, value: object, says: str) -> None:
        """Names and types of the operator's own facts are those of the pack."""
        assert says in refused(subscriber={"custom": {name: value}})[f"subscriber.custom.{name}"]

    def test_right_ones_are_taken(self) -> None:
        """Values of the right type pass, null among them."""
        assert case(subscriber={"custom": {"band": "a", "tags": ["x"], "note": None, "last_visit": None, "bills": [1, None]}})


def test_everything_wrong_is_told_together() -> None:
    """Mistakes about time, zone, own facts and answers come in one error."""
    found = refused(as_of=at(60), subscriber={"zone": "Nowhere", "custom": {"x": 1}}, answers={"x.y": 1})
    assert set(found) == {"as_of", "subscriber.zone", "subscriber.custom.x", "answers.x.y"}


def test_an_error_says_its_first_problem() -> None:
    """`field` and `message` are those of the first problem, the text has all."""
    error = RequestError([FieldProblem("a", "one"), FieldProblem("b", "two"), FieldProblem("a", "one")])
    assert (error.field, error.message, str(error)) == ("a", "one", "a: one\nb: two")


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_case_comes_back_from_its_record(example: Any) -> None:
    """What is recorded makes an equal case."""
    answers = {"services.held": ["a"], "contract.commitment_end": None}
    asked = DecisionRequest.model_validate({**example, "mode": "what_if", "as_of": "2026-11-22T10:00:00+08:00", "answers": answers})
    taken = take(PACK, asked, now=NOW, role="agent")
    assert Case.from_json(json.loads(json.dumps(taken.as_json()))) == taken


texts = st.text(max_size=20) | st.sampled_from(["channel", "subscriber", "id", "events", "at", "app"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(anything)
def test_whatever_json_is_refused_by_field(value: object) -> None:
    """Any JSON, NaN included, is either a request or refused with fields; nothing else is raised."""
    with pytest.raises(RequestError) as error:
        parse_request(json.dumps(value).encode())
    assert all(problem.field and problem.message for problem in error.value.problems)


@pytest.mark.parametrize("inner", ["1", "NaN", '{"a":1,"a":2}', '"\\ud800"'])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}")])
def test_any_depth_is_refused(inner: str, opens: str, closes: str) -> None:
    """Also at the depth where it can be read once and not a second time, from further down the stack."""
    for depth in range(700, 1_100):
        with pytest.raises(RequestError):
            parse_request((opens * depth + inner + closes * depth).encode())


@given(st.binary(max_size=60))
def test_whatever_bytes_are_refused(body: bytes) -> None:
    """Any bytes are refused in words."""
    with pytest.raises(RequestError):
        parse_request(body)


@given(st.floats() | st.integers() | st.text() | st.none() | st.lists(st.text() | st.floats()))
def test_own_values_are_of_their_type(value: Any) -> None:
    """Whatever is given for an own fact is refused or is of its type."""
    for name, kind in OWN.items():
        with contextlib.suppress(CaseError):
            found = answer_value(PACK, name, value)
            assert found is None or kind.kind != "number" or math.isfinite(found)


@pytest.mark.parametrize("history", ["record", "both"])
def test_what_if_reads_no_record(history: str) -> None:
    """The record's contacts are for live decisions: a trial leaves no trace, and reading about a person must."""
    with pytest.raises(CaseError) as refused:
        case(mode="what_if", history=history)
    assert refused.value.field == "history"


def test_a_grade_has_its_own_limit() -> None:
    """An agent with a grade concedes as much as the pack gives the grade; one that the pack does not know, nothing."""
    request = parse_request(json.dumps({"channel": "app", "subscriber": {"id": "s-1"}}).encode())
    taken = [take(PACK, request, now=NOW, role="agent", grade=grade).asker for grade in (None, "leader", "nobody")]
    assert [(asker.role, asker.concession_limit) for asker in taken] == [("agent", 3000), ("agent", 10_000), ("agent", 0)]
