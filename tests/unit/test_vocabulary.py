"""The vocabulary: every name there is, what it accepts and refuses, and that it says the same after a round trip."""

import json
import math
import pickle
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from pydantic import ValidationError
from pydantic_core import from_json

from app.engine.vocabulary import EVENTS, FACTS, SECTIONS, AnyEvent, Channel, DecisionRequest, SubscriberContext
from app.engine.vocabulary.examples import EXAMPLES
from app.engine.vocabulary.types import details

pytestmark = pytest.mark.unit

FACT_NAMES = {
    "request": "channel direction moment reason caller_relation verified",
    "account": (
        "status joined_on tenure_months line_type customer_class payer pay_mode real_name_ok province city county grid urban "
        "brand star_level credit_limit protected_list test_number roaming_abroad household_contacted_on"
    ),
    "holder": "age_band user_is_minor disability_card student_verified hardship needs_plain preferred_language",
    "plan": (
        "id name monthly_fee generation on_sale withdrawn_on min_commitment voice_minutes data_mb directed_data_mb "
        "throttle_after_mb overage_data_rate overage_cap filing_no fee_after_promo change_allowed change_block_reason "
        "best_public_id best_public_saving"
    ),
    "services": (
        "held paid_unused_count paid_unused_fee unsupported_count without_confirmation_count info_fee_blocked toll_pack_fee "
        "unclaimed_entitlements auto_renew_on"
    ),
    "contract": "commitment_end promo_end kind exit_fee floor_amount rebate_due",
    "usage": "voice_out_min voice_in_min voice_intl_min data_mb data_5g_mb data_abroad_mb active_days",
    "now": "day_of_cycle days_in_cycle month data_used_share voice_used_share bill_so_far overage_fee throttled_days",
    "billing": "total toll_fee voice_overage_fee data_overage_fee info_fee floor_topup device_instalment discount",
    "pay": "balance overdue_amount overdue_days late_cycles last_topup_on median_topup_gap autopay",
    "device": "generation capabilities dual_sim age_months changed_on",
    "network": "dropped_call_rate calls_30d poor_session_share camp_5g_share area_id fix_planned_on",
    "home": "has_broadband resource_ok bandwidth_mbps measured_mbps optical_dbm drops_7d family_lines in_fusion fttr",
    "cases": (
        "open_complaints complaint_days complaint_topic regulator_open open_faults fault_hours id owner due_on urges_7d "
        "promises_overdue compensation_12m"
    ),
    "care": "last_proactive_on last_visit_on loyalty_benefit_on manager_assigned",
    "consent": "marketing personalised refused_channels partner_sharing updated_on evidence human_review",
    "points": "balance expiring expiring_on redeemed_12m",
    "vip": "tier expires_on benefits_unused benefits_expire_on interests occasions",
    "value": "arpu_6m annual referrals_12m",
    "churn": "score model",
    "perception": "satisfaction surveyed_on brand expected quality value rival_quality rival_value",
    "digital": "app_login_on failed_transactions_14d compare_visits_30d benefit_visits_30d",
    "declared": "leave_reason rival_fee unaware_service",
    "port": "state last_on",
    "incident": "active expected_end",
}
EVENT_ATTRIBUTES = {
    "join": "channel plan",
    "port_in": "",
    "plan_change": "old new direction channel confirmation",
    "activate": "product fee channel campaign confirmation",
    "unsubscribe": "product channel",
    "use": "product",
    "overage": "kind fee",
    "threshold": "kind share",
    "throttle": "",
    "bill": "total quoted",
    "bill_enquiry": "channel",
    "enquiry": "topic",
    "complaint": "topic case product area severity",
    "urge": "case",
    "complaint_closed": "case topic result satisfied",
    "regulator_appeal": "body case",
    "fault": "kind case area",
    "fix": "case area",
    "incident_start": "area",
    "incident_end": "area",
    "promise": "id kind due",
    "promise_kept": "id",
    "topup": "amount",
    "overdue": "amount overdue_days",
    "suspend": "cause",
    "resume": "cause",
    "device_change": "generation",
    "sim_change": "kind",
    "roaming_on": "zone",
    "roaming_off": "zone",
    "move_home": "city_changed",
    "contract_start": "kind",
    "contract_end": "kind",
    "points_redeem": "kind",
    "tier_change": "old new",
    "benefit_use": "benefit",
    "survey": "score subject",
    "intent_leave": "reason channel",
    "visit": "by",
    "contact": "channel kind action campaign result",
    "inbound": "reason channel",
    "refusal": "action reason",
    "page": "page",
    "transaction_failed": "product step",
    "referral": "",
    "consent_change": "what to",
    "port_query": "",
    "port_code": "",
    "port_apply": "",
    "port_withdraw": "",
    "port_done": "",
}

AT = "2026-11-22T10:00:00+08:00"


def subscriber(**sections: Any) -> SubscriberContext:
    return SubscriberContext.model_validate({"id": "s-1", **sections})


def request(**fields: Any) -> DecisionRequest:
    return DecisionRequest.model_validate({"channel": "app", "subscriber": {"id": "s-1"}, **fields})


def refusal(**sections: Any) -> tuple[str, str]:
    """Where the one thing wrong with these sections is, and what is said about it."""
    with pytest.raises(ValidationError) as refused:
        subscriber(**sections)
    (error,) = details(refused.value)
    return ".".join(map(str, error["loc"])), error["msg"]


def refusal_of_request(**fields: Any) -> tuple[str, str]:
    """The same for the fields beside the subscriber."""
    with pytest.raises(ValidationError) as refused:
        request(**fields)
    (error,) = details(refused.value)
    return ".".join(map(str, error["loc"])), error["msg"]


def dumped(context: SubscriberContext) -> dict[str, Any]:
    return context.model_dump(mode="json", exclude_unset=True)


class TestNames:
    def test_every_fact_has_its_name(self) -> None:
        """The base facts are those of the reference vocabulary, no more and no fewer."""
        assert set(FACTS) == {f"{section}.{name}" for section, names in FACT_NAMES.items() for name in names.split()}

    def test_every_section_is_there(self) -> None:
        """The sections are those that hold facts; the request itself is not one."""
        assert set(SECTIONS) == set(FACT_NAMES) - {"request"}

    def test_every_event_has_its_attributes(self) -> None:
        """The kinds of event and their attributes are those of the reference vocabulary."""
        assert {name: " ".join(kind.attributes) for name, kind in EVENTS.items()} == EVENT_ATTRIBUTES

    def test_every_name_has_both_titles(self) -> None:
        """Facts, attributes and kinds of event are titled in English and in Chinese."""
        attributes = [fact for kind in EVENTS.values() for fact in kind.attributes.values()]
        assert all(fact.en and fact.zh for fact in [*FACTS.values(), *attributes])
        assert all(kind.en and kind.zh for kind in EVENTS.values())

    def test_protected_facts(self) -> None:
        """Who the holder is and where the line is are protected; what shapes service and wording is not."""
        assert {name for name, fact in FACTS.items() if fact.protected} == {
            "holder.age_band",
            "holder.user_is_minor",
            "holder.disability_card",
            "holder.student_verified",
            "account.province",
            "account.city",
            "account.county",
            "account.grid",
        }

    def test_port_data(self) -> None:
        """Port data is told apart, and coming from another operator is not port data."""
        assert {name for name, fact in FACTS.items() if fact.port} == {"port.state", "port.last_on"}
        assert {name for name, kind in EVENTS.items() if kind.port} == {
            "port_query",
            "port_code",
            "port_apply",
            "port_withdraw",
            "port_done",
        }

    def test_computed_facts(self) -> None:
        """Two facts are worked out by the engine."""
        assert {name for name, fact in FACTS.items() if fact.computed} == {"plan.best_public_id", "plan.best_public_saving"}


class TestTypes:
    def test_number(self) -> None:
        """A fact knows its kind, unit, bounds and whether it is whole."""
        fee = FACTS["plan.monthly_fee"]
        assert (fee.kind, fee.unit, fee.integral, fee.least, fee.most) == ("number", "money", True, 0, 10**12)
        score = FACTS["churn.score"]
        assert (score.kind, score.unit, score.integral, score.least, score.most) == ("number", "share", False, 0, 1)

    def test_series(self) -> None:
        """A series has the unit and bounds of its elements."""
        data = FACTS["usage.data_mb"]
        assert (data.kind, data.unit, data.integral, data.least, data.most) == ("series", "MB", True, 0, 10**9)

    def test_words(self) -> None:
        """An enumeration has its words, and so has a set of them."""
        assert FACTS["contract.kind"].values == ("none", "handset", "fee_rebate", "broadband", "number")
        assert (FACTS["consent.refused_channels"].kind, FACTS["consent.refused_channels"].values) == ("set", get_args(Channel))
        assert (FACTS["services.held"].kind, FACTS["services.held"].values) == ("set", ())

    def test_computed(self) -> None:
        """A computed fact is typed like any other."""
        saving = FACTS["plan.best_public_saving"]
        assert (saving.kind, saving.unit, saving.integral) == ("number", "money", True)
        assert FACTS["plan.best_public_id"].kind == "text"

    @pytest.mark.parametrize(
        ("name", "kind"),
        [("plan.name", "text"), ("pay.autopay", "boolean"), ("contract.promo_end", "date"), ("request.moment", "enum")],
    )
    def test_kind(self, name: str, kind: str) -> None:
        """Text, yes or no, dates and enumerations are told apart."""
        assert FACTS[name].kind == kind

    def test_attributes(self) -> None:
        """Attributes of events are typed as facts are."""
        assert EVENTS["fault"].attributes["kind"].values == ("mobile", "broadband", "tv")
        assert EVENTS["activate"].attributes["fee"].unit == "money"
        assert EVENTS["promise"].attributes["due"].kind == "date"
        assert EVENTS["complaint"].attributes["topic"].name == "events.complaint.topic"

    def test_every_number_is_bounded(self) -> None:
        """No number comes in without bounds, and none beyond what the language can reckon with."""
        facts = [*FACTS.values(), *(fact for kind in EVENTS.values() for fact in kind.attributes.values())]
        for fact in facts:
            if fact.kind in ("number", "series"):
                assert fact.least is not None, fact.name
                assert fact.most is not None, fact.name
                assert -(10**12) <= fact.least < fact.most <= 10**12, fact.name


class TestNumbers:
    @pytest.mark.parametrize("value", ["12", True, 7164.5, [1], 10**400, float("nan"), float("inf"), -1, 10**12 + 1])
    def test_refused(self, value: object) -> None:
        """Text, truth values, fractions, what is not finite and what is out of bounds are no amounts of money."""
        where, _ = refusal(plan={"monthly_fee": value})
        assert where == "plan.monthly_fee"

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            ("12", "float_type"),
            (-1, "greater_than_equal"),
            (1.5, "int_from_float"),
            (-1.5, "greater_than_equal"),
            (math.nan, "finite_number"),
        ],
    )
    def test_told_once(self, value: object, kind: str) -> None:
        """A number that is refused has one error, at its place, however often it was looked at."""
        with pytest.raises(ValidationError) as refused:
            subscriber(plan={"monthly_fee": value}, usage={"data_mb": [1, value]})
        assert [(item["loc"], item["type"]) for item in details(refused.value)] == [
            (("plan", "monthly_fee"), kind),
            (("usage", "data_mb", 1), kind),
        ]

    @pytest.mark.parametrize("name", ["as it is", "closely"])
    def test_any_name_is_told(self, name: str) -> None:
        """A name that was sent stays in the place of an error, whichever it is."""
        with pytest.raises(ValidationError) as refused:
            subscriber(plan={name: 1}, custom={name: {}})
        assert {("plan", name), ("custom", name)} <= {item["loc"] for item in details(refused.value)}

    def test_integral_float(self) -> None:
        """`7164.0` is an integer, in a field and in a series."""
        context = subscriber(plan={"data_mb": 7164.0}, usage={"data_mb": [7164.0, 3]})
        assert context.plan is not None
        assert context.usage is not None
        assert [context.plan.data_mb, *(context.usage.data_mb or ())] == [7164, 7164, 3]
        assert all(type(n) is int for n in [context.plan.data_mb, *(context.usage.data_mb or ())])

    def test_largest(self) -> None:
        """The largest amount comes through unchanged, and so does the largest debt."""
        pay = subscriber(pay={"balance": -(10**12), "overdue_amount": 10**12}).pay
        assert pay is not None
        assert (pay.balance, pay.overdue_amount) == (-(10**12), 10**12)

    @pytest.mark.parametrize(
        ("section", "field", "value"),
        [
            ("churn", "score", 1.01),
            ("churn", "score", True),
            ("churn", "score", "0.5"),
            ("now", "day_of_cycle", 0),
            ("now", "day_of_cycle", 32),
            ("now", "month", 13),
            ("account", "star_level", 8),
            ("perception", "satisfaction", 11),
            ("perception", "brand", 101),
            ("pay", "late_cycles", 13),
            ("network", "dropped_call_rate", -0.1),
        ],
    )
    def test_natural_bounds(self, section: str, field: str, value: object) -> None:
        """Shares, scores, days and months keep to what they can be."""
        assert refusal(**{section: {field: value}})[0] == f"{section}.{field}"

    def test_used_share_above_one(self) -> None:
        """More can be used than was bought."""
        now = subscriber(now={"data_used_share": 34}).now
        assert now is not None
        assert now.data_used_share == 34.0


class TestBooleansAndWords:
    @pytest.mark.parametrize("value", [1, 0, "true", "yes", 1.0])
    def test_only_true_and_false(self, value: object) -> None:
        """Nothing else stands for true or false."""
        assert refusal(pay={"autopay": value})[0] == "pay.autopay"

    def test_unknown_word(self) -> None:
        """A word that the enumeration does not have is refused with those that it has."""
        assert refusal(account={"pay_mode": "free"}) == ("account.pay_mode", "Input should be 'prepaid' or 'postpaid'")

    def test_unknown_field(self) -> None:
        """A misspelt fact is refused, and so is a misspelt section."""
        assert refusal(plan={"monthly_fees": 1})[0] == "plan.monthly_fees"
        assert refusal(plans={})[0] == "plans"


class TestText:
    @pytest.mark.parametrize(
        "value",
        ["", "a\x00b", "two\nlines", "tab\t", "\x7f", "\ud800", "half\ud83d", "zero\u200bwidth", "\u202etrickery", "\ufeff", "x" * 201, 5],
    )
    def test_refused(self, value: object) -> None:
        """Control characters, halves of characters, invisible marks and overlong text are refused, and not repeated."""
        where, said = refusal(plan={"name": value})
        assert where == "plan.name"
        assert said == "expected 1 to 200 characters: of any script, without line breaks or control characters"

    @pytest.mark.parametrize("value", ["5G畅享套餐129元档", "Größe M – “plus”", "😀", "𠮷野家", "[a] {b} \\"])
    def test_any_script(self, value: str) -> None:
        """Text of any script is kept as it is."""
        plan = subscriber(plan={"name": value}).plan
        assert plan is not None
        assert plan.name == value

    @pytest.mark.parametrize("value", ["", "a b", "-x", "x" * 65, "a\n", "用户1"])
    def test_subscriber_id(self, value: str) -> None:
        """An id is letters, digits and a few marks."""
        assert refusal(id=value)[0] == "id"

    @pytest.mark.parametrize("value", ["Asia/Shanghai", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+8"])
    def test_zone(self, value: str) -> None:
        """Names of zones look like names of zones; that there is such a zone is for the edge to say."""
        assert subscriber(zone=value).zone == value

    @pytest.mark.parametrize("value", ["../etc/passwd", "/abs", "Asia//Shanghai", "a/b/c/d"])
    def test_zone_is_no_path(self, value: str) -> None:
        """A zone cannot climb out of the zones' folder."""
        assert refusal(zone=value)[0] == "zone"

    def test_lone_surrogate_as_a_name(self) -> None:
        """Half a character is refused as the name of a field, a section or an operator's fact."""
        assert refusal(**{"\ud800": 1})[0] == ""
        assert refusal(plan={"\ud800": 1})[0] == "plan"
        assert refusal(custom={"\ud800": 1})[0].startswith("custom.")

    def test_values_are_not_repeated(self) -> None:
        """What is refused may be personal: the error's own words leave it out."""
        with pytest.raises(ValidationError) as refused:
            subscriber(id="张三 13800138000", plan={"name": "13800138000\n"}, events=[{"type": "13800138000", "at": AT}])
        assert "13800138000" not in str(refused.value)


class TestDates:
    def test_null_is_not_absent(self) -> None:
        """An explicit null says never or none; what is left out says nothing. Both survive the round trip."""
        said = subscriber(contract={"commitment_end": None})
        assert said.contract is not None
        assert (said.contract.commitment_end, said.contract.promo_end) == (None, None)
        assert said.contract.model_fields_set == {"commitment_end"}
        assert dumped(said) == {"id": "s-1", "contract": {"commitment_end": None}}

    @pytest.mark.parametrize("value", ["2026-02-30", "20261122", "2026-11-22T00:00:00", "1899-12-31", "22.11.2026", 0, 1e9, True])
    def test_refused(self, value: object) -> None:
        """A date is an ISO date and nothing that could be taken for one."""
        assert refusal(contract={"promo_end": value}) == ("contract.promo_end", "expected a date from 1900 on such as 2026-11-22")

    def test_accepted(self) -> None:
        """Dates come as text, far ones too, or as dates from Python, but not as times."""
        assert subscriber(contract={"promo_end": "9999-12-31"}) == subscriber(contract={"promo_end": date(9999, 12, 31)})
        assert refusal(contract={"promo_end": datetime(2026, 1, 1, tzinfo=UTC)})[0] == "contract.promo_end"

    @pytest.mark.parametrize(
        "value", ["2026-11-22T10:00:00", "2026-11-22", "0001-01-01T00:00:00+08:00", 1_700_000_000, "2026-11-22T25:00:00Z"]
    )
    def test_times_refused(self, value: object) -> None:
        """A time has an offset, is spelt in ISO form and is of our era."""
        assert refusal(churn={"as_of": value})[0] == "churn.as_of"
        assert refusal_of_request(as_of=value)[0] == "as_of"

    @pytest.mark.parametrize("value", [AT, "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.123456-05:30"])
    def test_times_keep_their_offset(self, value: str) -> None:
        """A time is dumped as it came."""
        assert dumped(subscriber(churn={"as_of": value}))["churn"] == {"as_of": value}


class TestSeries:
    def test_missing_elements(self) -> None:
        """A cycle may be missing from a series."""
        usage = subscriber(usage={"data_mb": [1, None, 3]}).usage
        assert usage is not None
        assert usage.data_mb == (1, None, 3)

    def test_lengths_differ(self) -> None:
        """Series of one section cover the same cycles; both fields and lengths are named."""
        assert refusal(usage={"voice_out_min": [1, 2], "voice_in_min": None, "data_mb": [1, 2, 3]}) == (
            "usage",
            "`voice_out_min` has 2 cycles and `data_mb` has 3; series of one section cover the same cycles",
        )
        assert refusal(billing={"total": [1], "discount": []})[0] == "billing"

    def test_lengths_of_two_sections(self) -> None:
        """Use and bills may be known for different numbers of cycles."""
        assert subscriber(usage={"data_mb": [1]}, billing={"total": [1, -2]}).billing is not None

    def test_too_long(self) -> None:
        """Three years are enough."""
        assert subscriber(usage={"data_mb": [1] * 36}).usage is not None
        assert refusal(usage={"data_mb": [1] * 37})[0] == "usage.data_mb"

    @pytest.mark.parametrize("value", ["123", {"a": 1}, 5])
    def test_no_list(self, value: object) -> None:
        """A series is a list."""
        assert refusal(usage={"data_mb": value})[0] == "usage.data_mb"

    def test_place_of_a_wrong_element(self) -> None:
        """The element that is wrong is named."""
        assert refusal(billing={"total": [1, "2"]})[0] == "billing.total.1"


class TestSets:
    def test_sorted(self) -> None:
        """Order and repeats mean nothing, and equal sets dump to equal bytes."""
        some, others = subscriber(services={"held": ["b", "a", "b"]}), subscriber(services={"held": ["a", "b"]})
        assert some == others
        assert some.model_dump_json(exclude_unset=True) == others.model_dump_json(exclude_unset=True)
        assert dumped(some)["services"] == {"held": ["a", "b"]}

    def test_words_of_a_set(self) -> None:
        """Refused channels are channels."""
        assert refusal(consent={"refused_channels": ["app", "fax"]})[0] == "consent.refused_channels.1"

    def test_bounds(self) -> None:
        """A set is a list of text, of bounded length."""
        assert refusal(services={"held": "abc"})[0] == "services.held"
        assert refusal(services={"held": [str(n) for n in range(501)]})[0] == "services.held"


class TestComputed:
    @pytest.mark.parametrize(("field", "value"), [("best_public_id", "plan_59"), ("best_public_saving", 1500), ("best_public_id", None)])
    def test_refused(self, field: str, value: object) -> None:
        """What the engine computes cannot be passed in, not even as null, and the refusal says why."""
        assert refusal(plan={field: value}) == (f"plan.{field}", "is computed by the engine and cannot be passed in; leave it out")

    def test_never_dumped(self) -> None:
        """A full dump can be read back."""
        whole = subscriber(plan={"id": "plan_59"})
        assert SubscriberContext.model_validate(whole.model_dump(mode="json")).plan is not None


class TestEvents:
    @pytest.mark.parametrize("kind", EVENT_ATTRIBUTES)
    def test_attributes_are_optional(self, kind: str) -> None:
        """Of every kind of event it may be known only that it happened."""
        (event,) = subscriber(events=[{"type": kind, "at": AT}]).events or ()
        assert (event.type, event.at) == (kind, datetime.fromisoformat(AT))

    def test_every_model_is_a_kind(self) -> None:
        """Every event of the union is listed under its type."""
        models = get_args(get_args(AnyEvent)[0])
        assert [get_args(model.model_fields["type"].annotation) for model in models] == [(name,) for name in EVENTS]

    def test_typed(self) -> None:
        """Attributes are as strict as facts."""
        assert refusal(events=[{"type": "topup", "at": AT, "amount": "100"}])[0] == "events.0.topup.amount"
        assert refusal(events=[{"type": "fix", "at": AT, "topic": "billing"}])[0] == "events.0.fix.topic"
        assert refusal(events=[{"type": "fix"}])[0] == "events.0.fix.at"

    @pytest.mark.parametrize(
        "event", [{"type": "explosion", "at": AT}, {"at": AT}, {"type": ["fix"], "at": AT}, {"type": "\ud800", "at": AT}]
    )
    def test_unknown_kind(self, event: object) -> None:
        """What is no kind of event is refused without being repeated."""
        assert refusal(events=[event]) == (
            "events.0",
            "expected an event: `at`, its attributes, and in `type` one of the kinds of event",
        )

    def test_empty_is_not_unknown(self) -> None:
        """No events is knowledge; no section is not."""
        assert (subscriber(events=[]).events, subscriber().events) == ((), None)

    def test_contacts(self) -> None:
        """The contact history is typed, and says only what is known."""
        (contact,) = subscriber(contacts=[{"at": AT, "channel": "sms_marketing", "result": "refused"}]).contacts or ()
        assert (contact.channel, contact.result, contact.action) == ("sms_marketing", "refused", None)
        assert refusal(contacts=[{"at": AT, "kind": "spam"}])[0] == "contacts.0.kind"

    def test_bounds(self) -> None:
        """Histories are bounded."""
        assert len(subscriber(events=[{"type": "use", "at": AT}] * 5_000).events or ()) == 5_000
        assert refusal(events=[{"type": "use", "at": AT}] * 5_001)[0] == "events"
        assert refusal(contacts=[{"at": AT}] * 5_001)[0] == "contacts"


class TestOwnFacts:
    def test_values(self) -> None:
        """An operator's facts and answers are scalars or lists of them, and keep their type."""
        values = {"a": True, "b": 1, "c": 1.5, "d": "文字", "e": ["x", 2, None, False], "f": None}
        context = subscriber(custom=values)
        assert dumped(context)["custom"] == values
        assert context.custom is not None
        assert [type(context.custom[name]) for name in "abcd"] == [bool, int, float, str]

    @pytest.mark.parametrize("value", [{}, [[1]], 10**13, -(10**13), 10**400, float("nan"), "\x00", "\ud800", "x" * 201, [1] * 501])
    def test_refused(self, value: object) -> None:
        """Nested, unbounded and unreadable values are refused."""
        assert refusal(custom={"a": value})[0] == "custom.a"
        assert refusal_of_request(answers={"a.b": value})[0] == "answers.a.b"

    def test_names(self) -> None:
        """Own facts are named without the `custom.` before them, answers by the whole name."""
        assert refusal(custom={"custom.a": 1})[0] == "custom.custom.a.[key]"
        assert refusal_of_request(answers={"has_broadband": True})[0] == "answers.has_broadband.[key]"

    def test_bounds(self) -> None:
        """There are at most 200 own facts and 50 answers."""
        assert refusal(custom={f"n{n}": 1 for n in range(201)})[0] == "custom"
        assert refusal_of_request(answers={f"a.n{n}": 1 for n in range(51)})[0] == "answers"


class TestRequest:
    def test_defaults(self) -> None:
        """Only the channel and the subscriber's id are needed."""
        asked = request()
        assert (asked.locale, asked.max_actions, asked.explain, asked.mode, asked.answers) == ("zh-CN", 3, "summary", "live", {})
        assert (asked.moment, asked.as_of, asked.contact_at, asked.direction) == (None, None, None, None)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("channel", "fax"),
            ("moment", "none"),
            ("locale", "fr"),
            ("max_actions", 0),
            ("max_actions", 11),
            ("max_actions", "3"),
            ("explain", "all"),
            ("mode", "test"),
            ("direction", "in"),
            ("reason", "because"),
            ("caller_relation", "owner"),
            ("verified", True),
            ("wish", 1),
        ],
    )
    def test_refused(self, field: str, value: object) -> None:
        """Every field of the request is checked, and there are no others."""
        assert refusal_of_request(**{field: value})[0] == field

    @pytest.mark.parametrize("missing", ["channel", "subscriber"])
    def test_needed(self, missing: str) -> None:
        """A request without a channel or a subscriber is no request."""
        fields = {"channel": "app", "subscriber": {"id": "s-1"}}
        del fields[missing]
        with pytest.raises(ValidationError, match=f"{missing}\n  Field required"):
            DecisionRequest.model_validate(fields)

    def test_frozen(self) -> None:
        """What was asked does not change."""
        with pytest.raises(ValidationError):
            request().channel = "web"  # type: ignore[misc]


class TestRoundTrip:
    @pytest.mark.parametrize("example", EXAMPLES, ids=["complaint", "self-service"])
    def test_examples(self, example: dict[str, Any]) -> None:
        """The documented requests are valid, are dumped as they came, and are read back equal."""
        asked = DecisionRequest.model_validate(example)
        assert asked.model_dump(mode="json", exclude_unset=True) == example
        assert DecisionRequest.model_validate(asked.model_dump(mode="json", exclude_unset=True)) == asked

    def test_ways_of_reading(self) -> None:
        """Text read in one go, or parsed first and checked then, gives the same request, which can be sent to another process."""
        body = json.dumps(EXAMPLES[0]).encode()
        asked = DecisionRequest.model_validate(from_json(body, allow_inf_nan=False))
        assert DecisionRequest.model_validate_json(body) == asked
        assert pickle.loads(pickle.dumps(asked)) == asked  # noqa: S301

    def test_everything_set(self) -> None:
        """A context in which every fact is given comes back equal, and says what was given."""
        whole = subscriber(
            **{name: {f: sample(f"{name}.{f}") for f in FACT_NAMES[name].split() if f"{name}.{f}" in GIVEN} for name in SECTIONS}
        )
        again = SubscriberContext.model_validate(dumped(whole))
        assert again == whole
        assert all(getattr(again, name).model_fields_set == getattr(whole, name).model_fields_set for name in SECTIONS)


GIVEN = {name for name, fact in FACTS.items() if not fact.computed}


def sample(name: str) -> object:
    """A value that this fact may have."""
    fact = FACTS[name]
    samples: dict[str, object] = {
        "number": fact.least,
        "text": "t1",
        "boolean": True,
        "date": "2026-11-22",
        "enum": (fact.values or ("",))[-1],
        "set": list(fact.values or ("b", "a")),
        "series": [fact.least, None, fact.most],
    }
    return samples[fact.kind]


class TestDocument:
    def test_reads_well(self) -> None:
        """The JSON schema says title, Chinese term, unit and bounds, that computed facts are not to be sent, and gives examples."""
        document = DecisionRequest.model_json_schema()
        plan = document["$defs"]["Plan"]["properties"]
        assert plan["monthly_fee"]["title"] == "Monthly fee"
        assert plan["monthly_fee"]["x-zh"] == "月费、套餐档位"
        assert plan["monthly_fee"]["anyOf"][0] == {"type": "integer", "minimum": 0, "maximum": 10**12, "x-unit": "money"}
        assert plan["best_public_saving"]["readOnly"] is True
        assert document["examples"] == EXAMPLES
        assert document["required"] == ["channel", "subscriber"]

    def test_every_model_is_described(self) -> None:
        """No section, event or field goes without words."""
        for name, model in DecisionRequest.model_json_schema()["$defs"].items():
            assert model["description"], name
            for field, told in model["properties"].items():
                assert told.get("title") or "$ref" in told or "anyOf" in told, f"{name}.{field}"

    def test_bounds_are_told(self) -> None:
        """Lists and sets say how long they may be, and sets do not promise what is not held against the sender."""
        definitions = DecisionRequest.model_json_schema()["$defs"]
        held = definitions["Services"]["properties"]["held"]["anyOf"][0]
        assert (held["type"], held["maxItems"], "uniqueItems" in held) == ("array", 500, False)
        assert definitions["Usage"]["properties"]["data_mb"]["anyOf"][0]["maxItems"] == 36
        assert definitions["SubscriberContext"]["properties"]["events"]["anyOf"][0]["maxItems"] == 5_000
