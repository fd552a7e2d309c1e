"""A decision on record: everything about it, in words, made again, with another pack, and what if."""

import datetime
import zoneinfo
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, update

from app.engine.answer import Change
from app.engine.case import Case, Times
from app.engine.decide import decide
from app.engine.explain import explain
from app.engine.pack import Pack
from app.record.damage import DamagedEntry
from app.record.keys import Keys
from app.record.packs.library import PackLibrary
from app.record.reading import replaying
from app.record.reading.altering import asked_at, with_fact
from app.record.reading.consulting import explained
from app.record.reading.days import moved
from app.record.reading.dossier import Dossier, dossier
from app.record.reading.influence import protected, protected_influence
from app.record.reading.minimal import MinimalChange, minimal_changes
from app.record.reading.pairs import Pairs, unequal_pairs
from app.record.reading.ranking import compared
from app.record.reading.recorded import Recorded, read_decision, read_entry
from app.record.reading.replaying import changelog, differences, instead, replay
from app.record.search.query import Query
from app.record.store.database import Database
from app.record.store.tables import EntryRow, SubjectRow
from tests.pipeline import applied as pipeline_applied
from tests.pipeline import at, case_of, cases, fresh, later, pack_of, patched, shipped, shipped_files
from tests.records import Written, written

pytestmark = pytest.mark.unit
EXAMPLES = Path(__file__).parents[2] / "examples"


class Shelf:
    """Packs at hand."""

    def __init__(self, *packs: Pack) -> None:
        self.packs = {pack.digest: pack for pack in packs}

    def get(self, digest: str) -> Pack:
        return self.packs[digest]

    def content(self, digest: str) -> Any:
        from app.record.packs.steps import PackContent

        return PackContent(dict(shipped_files()))


@pytest.fixture
def record(database: Database, keys: Keys) -> Iterator[Written]:
    with written(database, keys) as made:
        yield made


def example(name: str, role: str = "agent") -> Case:
    body = orjson.loads(next(EXAMPLES.glob(f"{name}-*.json")).read_bytes())
    return case_of(shipped(), {**body, "mode": "what_if"}, role)


def read(record: Written, entry_id: str) -> Recorded:
    with record.database.reading() as connection:
        found = read_decision(connection, record.keys, entry_id)
    assert found is not None
    return found


def everything(record: Written, entry_id: str, library: PackLibrary | None = None) -> Dossier:
    packs = library or PackLibrary(record.database, pattern_engine="builtin")
    with record.database.reading() as connection:
        found = read_decision(connection, record.keys, entry_id)
        assert found is not None
        return dossier(connection, record.keys, found, packs, "en")


def test_everything_about_a_decision(record: Written) -> None:
    """Who asked, the pack and who published it, what was known, what was considered, what came of it, the leaf."""
    record.publish()
    case = example("02")
    decision = record.decide(case, agent="a-7", explained="full")
    record.tell(decision, "tariff_pack", "accepted", agent="a-7")
    record.seal()
    made = everything(record, decision)
    assert (made.state, made.envelope["body"]["agent"]) == ("readable", "a-7")
    assert (made.pack.author, [step["step"] for step in made.pack.steps]) == ("ann", ["published"])
    assert made.working is not None
    assert made.working.faithful
    ranked = [item.action for item in made.working.considered if item.rank is not None]
    assert ranked == [item.action for item in decide(shipped(), case).ranked]
    assert len(made.working.considered) == len(shipped().actions)
    assert all(item.cause for item in made.working.considered if item.rank is None)
    assert [(item.action, item.outcome, item.agent) for item in made.outcomes] == [("tariff_pack", "accepted", "a-7")]
    assert made.proof.leaf == 1
    assert made.proof.checkpoint_size == 4
    assert made.contact is not None
    assert made.contact.consent["marketing"] == "yes"
    assert made.contact.local_time.utcoffset() == datetime.timedelta(hours=8)
    assert {item.section for item in made.known or ()} >= {"account", "billing", "events"}


def test_everything_about_anybody(record: Written) -> None:
    """Whatever was known of somebody, the dossier is worked out."""
    record.publish()
    library = PackLibrary(record.database, pattern_engine="builtin")
    for case in cases(shipped(), 31, 40):
        made = everything(record, record.decide(case), library)
        assert made.working is not None
        assert made.working.faithful
        assert made.contact is not None
        kept_out = {item.clause for item in made.working.considered if item.gate in ("contact", "guardrail")}
        assert kept_out <= {item.clause for item in made.contact.clauses if item.kept_out or item.unknown}


def test_age_of_what_was_known(record: Written) -> None:
    """Each section has its own age; what was too old is named."""
    case = example("02")
    old = case.times.as_of - datetime.timedelta(days=100)
    billing = case.subscriber.billing
    assert billing is not None
    case = replace(case, subscriber=case.subscriber.model_copy(update={"billing": billing.model_copy(update={"as_of": old})}))
    record.publish()
    made = everything(record, record.decide(case))
    section = next(item for item in made.known or () if item.section == "billing")
    assert (section.age_days, section.limit_days) == (100, 62)
    assert "billing.total" in section.too_old


@pytest.mark.parametrize(("state", "told"), [("applied", "yes"), ("none", "no")])
def test_port_out(record: Written, state: str, told: str) -> None:
    """Whether a port-out was in progress is told from the pack's own clause."""
    record.publish()
    made = everything(record, record.decide(patched(example("02"), {"port.state": state})))
    assert made.port_out is not None
    assert (made.port_out.in_progress, made.port_out.state) == (told, state)


def test_erased(record: Written) -> None:
    """Of an erased person there is the envelope and its proof, and nothing of the case."""
    record.publish()
    decision = record.decide(example("02"))
    record.seal()
    with record.database.writing() as connection:
        connection.execute(delete(SubjectRow))
    made = everything(record, decision)
    assert (made.state, made.case, made.answer, made.working) == ("erased", None, None, None)
    assert made.envelope["body"]["offered"][0]["action"] == "tariff_pack"
    assert made.proof.leaf is not None
    found = read(record, decision)
    assert replay(found, Shelf(shipped())).verdict == "erased"
    assert instead(found, shipped(), shipped()) is None


@pytest.mark.parametrize("what", ["private", "envelope", "moved"])
def test_damaged(record: Written, what: str) -> None:
    """A private payload that is not the one recorded is not shown: changed, or moved from another decision."""
    one, other = (record.decide(example(name)) for name in ("02", "02"))
    with record.database.writing() as connection:
        if what == "private":
            connection.execute(update(EntryRow).where(EntryRow.id == one).values(private=b"x" * 64))
        elif what == "moved":
            row = connection.execute(EntryRow.__table__.select().where(EntryRow.id == other)).one()
            connection.execute(update(EntryRow).where(EntryRow.id == one).values(private=row.private))
        else:
            row = connection.execute(EntryRow.__table__.select().where(EntryRow.id == one)).one()
            envelope = orjson.loads(bytes(row.envelope)) | {"commitment": "sha256:" + "0" * 64}
            connection.execute(update(EntryRow).where(EntryRow.id == one).values(envelope=orjson.dumps(envelope)))
    with record.database.reading() as connection, pytest.raises(DamagedEntry):
        read_entry(connection, record.keys, one)


def test_only_decisions(record: Written) -> None:
    """Another entry is no decision; what there is not is none."""
    decision = record.decide(example("02"))
    outcome = record.tell(decision, "tariff_pack", "shown")
    with record.database.reading() as connection:
        assert read_decision(connection, record.keys, outcome) is None
        found = read_entry(connection, record.keys, outcome)
        assert found is not None
        assert found.state == "without_case"
        assert read_entry(connection, record.keys, "nothing") is None


@pytest.mark.parametrize("role", ["agent", "campaign", "self_service", "development"])
@pytest.mark.parametrize("explained_as", ["none", "summary", "full"])
def test_the_same_bytes(record: Written, role: str, explained_as: str) -> None:
    """A decision made again with the pack on record gives the same answer to the byte, for every role and degree of detail."""
    for case in cases(shipped(), 3, 6):
        found = read(record, record.decide(case, role=role, explained=explained_as))
        assert replay(found, Shelf(shipped())).verdict == "same_bytes"


def test_what_differs(record: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answer differs, each place is named, with both values."""
    found = read(record, record.decide(example("02")))
    assert found.private is not None
    answer = orjson.loads(found.private["answer"])
    answer["actions"][0]["title"] = "another"
    forged = replace(found, private={**found.private, "answer": orjson.dumps(answer).decode()})
    made = replay(forged, Shelf(shipped()))
    assert made.verdict == "differs"
    assert [(item.path, item.before) for item in made.differences] == [("actions[0].title", "another")]


def test_another_version(record: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """By another version of the engine the decision is the same, though not its bytes; the changelog says what changed."""
    found = read(record, record.decide(example("02")))
    monkeypatch.setattr(replaying, "__version__", "1.2.0")
    made = replay(found, Shelf(shipped()))
    assert (made.verdict, made.recorded.engine, made.replayed.engine) == ("same", "1.0.0", "1.2.0")
    text = "# Changelog\n\n## 1.3.0\n\nlater\n\n## [1.2.0] - 2027-01-01\n\n- b\n\n## 1.1.0\n\n- a\n\n## 1.0.0\n\nfirst\n"
    assert [(item.version, item.text) for item in changelog("1.0.0", text)] == [("1.1.0", "- a"), ("1.2.0", "- b")]


def test_pack_that_is_gone(record: Written) -> None:
    """Without the pack there is no replay, and it says why."""
    found = read(record, record.decide(example("02")))
    made = replay(found, PackLibrary(record.database))
    assert made.verdict == "pack_unusable"
    assert made.why is not None
    assert "no pack has the digest" in made.why


def test_draft(record: Written) -> None:
    """A draft says what it would have decided instead, action by action."""
    found = read(record, record.decide(example("02")))
    files = dict(shipped_files())
    path = "policies/prevention/tariff_pack.yaml"
    files[path] = files[path].replace(b"phases: [prevention, retention]", b"phases: [retention]")
    draft = pack_of(files)
    made = instead(found, shipped(), draft)
    assert made is not None
    assert not made.same
    assert next((item.action, item.before, item.after) for item in made.actions) == ("tariff_pack", "rank 1", "not_applicable: phase")
    same = instead(found, shipped(), shipped())
    assert same is not None
    assert same.same
    assert not same.actions


def test_differences() -> None:
    """Differences are told by their paths; what one side lacks is none; 1 and true are not the same."""
    before = {"a": [1, {"b": 2}], "c": "x", "only": 1, "same": [1]}
    after = {"a": [1, {"b": 3}, 4], "c": True, "new": None, "same": [1]}
    found = [(item.path, item.before, item.after) for item in differences(before, after)]
    assert found == [("a[1].b", 2, 3), ("a[2]", None, 4), ("c", "x", True), ("only", 1, None)]
    assert len(list(differences(1, True))) == 1


def test_why_this_over_the_runner_up() -> None:
    """Candidates stand in the order of the list, each with what told it from the one above."""
    seen: set[str | None] = set()
    for case in cases(shipped(), 5, 150):
        decision = decide(shipped(), case)
        order = compared(shipped(), decision)
        assert [item.action for item in order if item.rank] == [item.action for item in decision.ranked]
        losers = {item.action: item for item in decision.outcomes if item.cause == "outranked"}
        assert {item.action for item in order if not item.rank} == losers.keys()
        assert all(item.decided_by == losers[item.action].clause for item in order if not item.rank)
        for item in order:
            value = (item.parts["propensity"] or 0) * (item.parts["value"] or 0)
            assert item.score == pytest.approx(value * (item.parts["relevance"] or 0) * (item.parts["lever"] or 0))
        seen |= {item.decided_by for item in order}
    assert seen >= {None, "duty", "score"}


def test_order_is_that_of_the_ranking() -> None:
    """Losers stand where their score and duty put them, not behind all winners."""
    mixed = 0
    for case in cases(shipped(), 5, 150):
        order = compared(shipped(), decide(shipped(), case))
        if any(item.decided_by == "fallback" for item in order):
            continue
        keys = [(("owed", "care", "offer").index(item.duty), -item.score) for item in order]
        assert keys == sorted(keys)
        ranks = [item.rank is None for item in order]
        mixed += ranks != sorted(ranks)
    assert mixed


def told_again(case: Case, change: MinimalChange) -> Case:
    """The case with a change as its figures tell it, made by other means than where it was found."""
    for step in change.changes:
        if step["at"] and step["fact"] == "time":
            case = at(case, datetime.datetime.fromisoformat(step["at"]))
        elif step["in_days"] is not None:
            case = later(case, step["in_days"])
        elif step["by_days"] is not None:
            days = step["by_days"] * (1 if step["direction"] == "later" else -1)
            case = moved_date(case, step["fact"], datetime.timedelta(days=days), step["at"])
        else:
            case = pipeline_applied(case, [Change(step["fact"], step["direction"], step["value"], None)])
    return case


def moved_date(case: Case, name: str, by: datetime.timedelta, lands: str) -> Case:
    section, _, field = name.partition(".")
    if section != "events":
        day = getattr(getattr(case.subscriber, section), field) + by
        assert day.isoformat() == lands
        return patched(case, {name: day})
    rows = sorted(case.subscriber.events or (), key=lambda row: (row.type == field, row.at))
    rows[-1] = rows[-1].model_copy(update={"at": rows[-1].at + by})
    assert rows[-1].at.date().isoformat() == lands
    return replace(case, subscriber=case.subscriber.model_copy(update={"events": tuple(rows)}))


def test_minimal_change() -> None:
    """A change that is named, of a figure, a date, an event or the day, gives the list that is told when it is made on the case."""
    kinds: Counter[str] = Counter()
    for case in map(fresh, cases(shipped(), 5, 60)):
        decision = decide(shipped(), case)
        for change in minimal_changes(shipped(), case, decision, 99).changes:
            kinds.update(f"{step['fact'].partition('.')[0] if step['by_days'] is None else 'moved'}" for step in change.changes)
            assert list(change.actions) != [item.action for item in decision.ranked]
            after = decide(shipped(), told_again(case, change))
            assert [item.action for item in after.ranked] == list(change.actions), change
            outcome = next(item for item in after.outcomes if item.action == change.action)
            assert change.clause not in {f"{step.gate}.{step.clause}" for step in outcome.failing}
    assert kinds["time"] > 10
    assert kinds["moved"] > 5


def test_where_a_change_is_in_days() -> None:
    """A notice that is due seven days before a date is told with the days to wait, and with the day that the date would have to be."""
    case = example("02")
    assert case.subscriber.services is not None
    day = case.times.today + datetime.timedelta(days=20)
    case = patched(case, {"services.auto_renew_on": day})
    for locale, words in (
        ("en", {"in 13 days", f'with "day of automatic renewal" 13 days earlier ({day - datetime.timedelta(days=13)})'}),
        ("zh-CN", {"13天后", f"若自动续订日早13天（{day - datetime.timedelta(days=13)}）"}),
    ):
        case = replace(case, locale=locale)
        clause = shipped().clauses["renewal_notice"]["applicable", "renews_soon"]
        found = moved(shipped(), case, decide(shipped(), case), clause, None, "en" if locale == "en" else "zh")
        assert words <= {item.words for item in found}
        assert [item.size for item in found] == sorted(item.size for item in found)


def test_what_cannot_be_told() -> None:
    """Every action that one clause alone kept out has its change, or is named with why it has none; what a phase keeps out is neither."""
    reasons: Counter[str] = Counter()
    for case in cases(shipped(), 5, 20):
        decision = decide(shipped(), case)
        made = minimal_changes(shipped(), case, decision, 99)
        told, untold = {item.action for item in made.changes}, {item.action for item in made.untold}
        assert not told & untold
        full = explain(shipped(), case, decision, "full").not_offered or ()
        alone = {item.action: item for item in full if not item.others and item.cause != "unknown" and "." in (item.clause or "")}
        assert told | untold == alone.keys()
        reasons.update(item.because for item in made.untold)
        for item in made.untold:
            assert item.because != "nothing_to_move" or not alone[item.action].changes
    assert reasons.keys() == {"nothing_to_move", "no_effect"}


def test_trials_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the trials are used up it is said that the rest was not tried."""
    monkeypatch.setattr("app.record.reading.minimal.MOST_TRIED", 1)
    found = [minimal_changes(shipped(), case, decide(shipped(), case)).untold for case in cases(shipped(), 5, 10)]
    assert max(sum(item.because == "not_tried" for item in untold) for untold in found) > 5


def test_asked_later_what_is_known_is_as_fresh() -> None:
    """A case asked later has sections as old as they were, and its day and hour where the subscriber is, summer time or not."""
    case = next(case for case in cases(shipped(), 5, 30) if getattr(case.subscriber.usage, "as_of", None))
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    start = datetime.datetime(2026, 10, 24, 12, 30, tzinfo=zone)
    case = replace(case, times=Times(start, start, start.date(), start.date(), 750, 120))
    made = asked_at(case, start + datetime.timedelta(days=2))
    assert (made.times.contact_minute, made.times.offset, made.times.today) == (750, 60, datetime.date(2026, 10, 26))
    assert made.subscriber.usage is not None
    assert case.subscriber.usage is not None
    assert made.times.as_of - made.subscriber.usage.as_of == case.times.as_of - case.subscriber.usage.as_of  # type: ignore[operator]


def test_no_influence_of_protected_facts() -> None:
    """With the shipped pack protected facts change something only where the pack states why it may: a legal basis, a published tariff."""
    allowed, phases = set[str](), set[str]()
    for case in cases(shipped(), 9, 60):
        found = explained(Shelf(shipped()), shipped().digest, case, "en").protected
        assert bool(found.influence) == bool(found.allowed_by)
        assert all("concession" not in item.changed for item in found.influence)
        allowed |= {reason["by"] for reason in found.allowed_by}
        phases |= {item.fact for item in found.influence if "phase" in item.changed}
    assert "published_condition" in allowed
    assert "holder.disability_card" in phases


def test_influence_is_found() -> None:
    """Where another value of a protected fact changes the list, the fact, the value and what changed are named."""
    found = 0
    for case in cases(shipped(), 9, 80):
        case = with_fact(case, "holder.age_band", "senior_65")
        decision = decide(shipped(), case)
        made = protected_influence(shipped(), case, decision)
        for item in made.influence:
            if item.fact == "holder.age_band":
                found += 1
                again = decide(shipped(), with_fact(case, item.fact, item.value))
                assert [one.action for one in again.ranked] == list(item.actions)
                assert list(item.actions) != [one.action for one in decision.ranked] or "actions" not in item.changed
    assert found
    assert "holder.age_band" in {fact.name for fact in protected(shipped())}


def test_facts_are_replaced() -> None:
    """A fact is replaced wherever it was given, an answer included; none makes it unknown."""
    case = replace(example("02"), answers={"holder.age_band": "adult"})
    made = with_fact(case, "holder.age_band", "minor")
    assert made.subscriber.holder is not None
    assert (made.subscriber.holder.age_band, made.answers) == ("minor", {})
    assert with_fact(made, "holder.age_band", None).subscriber.holder.age_band is None  # type: ignore[union-attr]


def pairs(record: Written, most: int = 100) -> Pairs:
    with record.database.reading() as connection:
        return unequal_pairs(connection, record.keys, Shelf(shipped(), _unequal()), Query(), most)


def _unequal() -> Pack:
    """The shipped pack, with an offer that only half of the subscribers are let in on."""
    files = dict(shipped_files())
    path = "policies/prevention/tariff_pack.yaml"
    files[path] = files[path].replace(b"eligible:\n", b"eligible:\n  half: bucket('half') < 50\n")
    return pack_of(files)


def somebody(case: Case, name: str, **facts: Any) -> Case:
    return patched(replace(case, subscriber=case.subscriber.model_copy(update={"id": name})), facts)


def test_pairs(record: Written) -> None:
    """Two people in the same conditions who were offered another price are found, with what they differ in."""
    for number in range(8):
        record.decide(somebody(example("02"), f"s-{number}", **{"holder.age_band": ("adult", "senior_65")[number % 2]}), _unequal())
    record.seal()
    found = pairs(record)
    assert (found.examined, found.alike, found.complete) == (8, 1, True)
    (pair,) = found.pairs
    assert set(pair.differ_in) - {"holder.age_band"} == {"subscriber.id"}
    assert sorted(len(one.prices) for one in (pair.one, pair.other)) == [0, 1]
    assert pair.one.currency == "CNY"
    assert [*pair.one.prices, *pair.other.prices] == [{"action": "tariff_pack", "tariff": "toll_pack_30", "fee": 1000, "concession": 0}]


def test_no_pairs(record: Written) -> None:
    """The same conditions give the same prices with the shipped pack, whatever the age; other conditions make no pair."""
    for number, age in enumerate(("adult", "senior_65", "adult")):
        case = somebody(example("02"), f"s-{number}", **{"holder.age_band": age})
        earlier = case.times.as_of - datetime.timedelta(minutes=number)
        points = case.subscriber.points.model_copy(update={"as_of": earlier})  # type: ignore[union-attr]
        record.decide(replace(case, subscriber=case.subscriber.model_copy(update={"points": points})))
    record.decide(somebody(example("02"), "s-9", **{"account.tenure_months": 7}))
    record.seal()
    found = pairs(record)
    assert (found.examined, found.alike, list(found.pairs)) == (4, 1, [])
    assert not pairs(record, 3).complete


def test_the_same_person_twice(record: Written) -> None:
    """Two decisions about one person are no pair, and not counted as alike."""
    for _ in range(2):
        record.decide(example("02"))
    record.seal()
    assert pairs(record).alike == 0


def test_erased_people_are_counted(record: Written) -> None:
    """Decisions that cannot be read any more are counted as such."""
    record.decide(example("02"))
    record.seal()
    with record.database.writing() as connection:
        connection.execute(delete(SubjectRow))
    assert (pairs(record).examined, pairs(record).unreadable) == (0, 1)
