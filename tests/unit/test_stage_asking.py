"""What is unknown, and which questions are worth asking."""

from typing import Any

from app.engine.explain import explain
from tests.pipeline_packs import act, ago, answer, ask, fact, mini, signal, table


def question(name: str, who: str = "both", **more: Any) -> dict[str, Any]:
    return {"fact": name, "who": who, "en": f"What of {name}?", "zh": f"{name}？", **more}


def asked(pack: Any, subscriber: Any = None, **request: Any) -> list[tuple[str, list[str]]]:
    told = explain(pack, ask(pack, subscriber, **request), answer(pack, subscriber, **request))
    return [(item.fact, item.may_unlock) for item in told.ask]


def test_an_unknown_fact_with_a_question_is_asked() -> None:
    """For an action that nothing else keeps out, through facts and signals; a fact without a question never is."""
    pack = mini(
        {"plain": act(eligible={"a": "signal('many')", "b": "churn.score > 0"})},
        facts=[fact("lines", "home.family_lines")],
        signals=[signal("many", ("high", "facts.lines >= 2"))],
        questions=[question("home.family_lines")],
    )
    assert asked(pack) == [("home.family_lines", ["plain"])]
    assert asked(pack, {"home": {"family_lines": 3}}) == []


def test_nothing_is_asked_for_an_action_that_fails_anyway() -> None:
    pack = mini(
        {"plain": act(eligible={"a": "home.family_lines >= 2", "b": "account.tenure_months > 5"})},
        questions=[question("home.family_lines")],
    )
    assert asked(pack, {"account": {"tenure_months": 1}}) == []
    assert asked(pack, {"account": {"tenure_months": 9}}) == [("home.family_lines", ["plain"])]
    assert asked(pack, {"account": {"tenure_months": 9}}, channel="shop") == []


def test_only_what_could_turn_the_clause_is_asked() -> None:
    """Of `a or b` nothing is asked once it holds, and nothing that is known."""
    pack = mini(
        {"plain": act(eligible={"a": "home.family_lines >= 2 or home.has_broadband", "b": "pay.autopay"})},
        questions=[question("home.family_lines"), question("home.has_broadband"), question("pay.autopay")],
    )
    assert asked(pack, {"home": {"has_broadband": True}}) == [("pay.autopay", ["plain"])]
    assert asked(pack, {"home": {"has_broadband": False}, "pay": {"autopay": True}}) == [("home.family_lines", ["plain"])]


def test_a_part_that_is_settled_is_not_asked_about() -> None:
    """Inside a condition too: of `(a or b) and c`, with b known to hold, only c is."""
    gates = {"a": "(home.family_lines >= 2 or home.has_broadband) and pay.autopay"}
    pack = mini({"plain": act(eligible=gates)}, questions=[question("home.family_lines"), question("pay.autopay")])
    assert asked(pack, {"home": {"has_broadband": True}}) == [("pay.autopay", ["plain"])]
    assert [name for name, _ in asked(pack, {"home": {"has_broadband": False}})] == ["home.family_lines", "pay.autopay"]


def test_what_a_known_fact_could_do_without_is_not_asked() -> None:
    """A fact worked out from the second best figure does not want the best one."""
    pack = mini(
        {"plain": act(eligible={"a": "facts.worth > 5 and pay.autopay"})},
        facts=[fact("worth", "first_known(home.family_lines, 100)")],
        questions=[question("home.family_lines"), question("pay.autopay")],
    )
    assert asked(pack) == [("pay.autopay", ["plain"])]


def test_questions_that_unlock_most_come_first() -> None:
    pack = mini(
        {
            "a": act(eligible={"x": "pay.autopay"}),
            "b": act(eligible={"x": "home.has_broadband"}),
            "c": act(eligible={"x": "home.has_broadband"}),
        },
        questions=[question("home.has_broadband"), question("pay.autopay")],
    )
    assert asked(pack) == [("home.has_broadband", ["b", "c"]), ("pay.autopay", ["a"])]


def test_who_is_asked_depends_on_the_channel() -> None:
    """A question for agents is not put in the app, one for self-service not in the call centre."""
    actions = {"plain": act(eligible={"x": "home.has_broadband", "y": "pay.autopay"})}
    pack = mini(actions, questions=[question("home.has_broadband", "agent"), question("pay.autopay", "self")])
    assert [name for name, _ in asked(pack, channel="app")] == ["pay.autopay"]
    assert [name for name, _ in asked(pack, channel="call_centre")] == ["home.has_broadband"]


def test_a_question_waits_for_its_moment() -> None:
    pack = mini(
        {"plain": act(eligible={"x": "home.has_broadband"})}, questions=[question("home.has_broadband", when="account.tenure_months > 2")]
    )
    assert asked(pack, {"account": {"tenure_months": 1}}) == []
    assert asked(pack) == []
    assert asked(pack, {"account": {"tenure_months": 3}}) == [("home.has_broadband", ["plain"])]


def test_an_answer_brings_the_action_in() -> None:
    """What was asked, once answered, is known: the action comes, and the question goes."""
    pack = mini({"plain": act(eligible={"x": "home.has_broadband"})}, questions=[question("home.has_broadband")])
    assert [item.action for item in answer(pack, answers={"home.has_broadband": True}).ranked] == ["plain"]
    assert asked(pack, answers={"home.has_broadband": True}) == []


def unknown(pack: Any, subscriber: Any = None, detail: Any = "summary") -> list[tuple[str, str]]:
    told = explain(pack, ask(pack, subscriber), answer(pack, subscriber), detail)
    return [(item.fact, item.why) for item in told.unknown]


def test_the_summary_lists_what_was_wanted_and_the_full_answer_all() -> None:
    """Of a table, a series too short, and a history not passed."""
    pack = mini(
        {
            "plain": act(
                eligible={"a": "mean(billing.total, 3) > 0", "b": "contacted(days=7) == 0"},
                propensity=[{"if": "churn.score > 0", "is": "0.1"}, {"is": "0.2"}],
            )
        },
    )
    assert unknown(pack, {"billing": {"total": [1, 2]}}) == [("billing.total", "missing")]
    assert unknown(pack, {"billing": {"total": [1, 2, 3]}}) == []
    assert unknown(pack, {"billing": {"total": [1, None, 3]}, "contacts": None}) == [("billing.total", "missing"), ("contacts", "missing")]
    assert ("churn.score", "missing") in unknown(pack, {"billing": {"total": [1, 2, 3]}}, "full")


def test_for_an_unknown_cost_the_facts_behind_it_are_missing() -> None:
    """Not the cost itself, which nobody can look up."""
    pack = mini({"plain": act(suitable={"a": "action.concession < 500"}, concession="value.annual / 100", approve="leader")})
    assert [item.fact for item in explain(pack, ask(pack), answer(pack)).unknown] == ["value.annual"]


def test_a_pack_without_a_reason_to_keep_hands_off_is_explained() -> None:
    pack = mini({"plain": act(eligible={"a": "churn.score > 0"})}, hands_off=[])
    assert [item.fact for item in explain(pack, ask(pack), answer(pack)).unknown] == ["churn.score"]


def test_why_not_names_what_the_clause_wanted_and_nothing_else() -> None:
    """Old sections that have nothing to do with the clause are not held against it."""
    pack = mini(
        {"plain": act(eligible={"a": "facts.band == 'high' and churn.score > 0 and days_since(care.last_visit_on) > 3"})},
        facts=[table("band", ("value.annual > 5", "high"), (None, "low"), values=("high", "low"))],
        ages={"pay": 5, "care": 30},
    )
    body = {"value": {"annual": 9}, "pay": {"autopay": True, "as_of": ago(90)}, "care": {"last_visit_on": "2026-01-01", "as_of": ago(90)}}
    told = explain(pack, ask(pack, body), answer(pack, body), "full")
    assert told.not_offered is not None
    assert told.not_offered[0].text == "Not known yet: last visit, probability of leaving."


def test_port_facts_are_never_named() -> None:
    pack = mini({"plain": act("service", purpose="port_assistance", eligible={"a": "port.state == 'queried'"})})
    assert unknown(pack, {"port": None}) == []
