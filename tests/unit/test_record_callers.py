"""Who may call: names, roles, keys of which only the hash is kept."""

import datetime
import hashlib

import pytest
from sqlalchemy import insert, update

from app.record.callers import ROLES, CallerRefused, Listed, add_caller, all_callers, callers_by_key, hash_of, known_callers, revoke_caller
from app.record.store.database import Database, stamp
from app.record.store.tables import CallerRow

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 22, 2, 0, tzinfo=datetime.UTC)
DESK = Listed("desk", "agent", None, None, stamp(NOW), "root", None)
GONE = DESK._replace(name="gone", revoked_at=stamp(NOW))
KNOWN = {"desk": DESK, "gone": GONE}


def test_a_key_is_new_and_only_its_hash_is_kept() -> None:
    """256 random bits behind a prefix that says what they are; nothing of them is in the entry."""
    first, second = (add_caller({}, "id", NOW, "desk", "agent", by="root") for _ in range(2))
    assert first.key.startswith("wl_")
    assert len(first.key) == 3 + 43
    assert first.key != second.key
    assert first.key not in str(first.entry)
    assert first.entry.rows[0].values["secret_hash"] == hash_of(first.key)


def test_the_entry_says_who_did_what() -> None:
    """Name, role and grade, by whom, and the hash of the key, so that no other key is put in its place unseen."""
    entry, key = add_caller({}, "id", NOW, "desk", "agent", by="root", grade="leader")
    assert (entry.kind, entry.at, entry.subscriber) == ("caller_changed", NOW, None)
    told = {"change": "added", "name": "desk", "role": "agent", "by": "root", "grade": "leader"}
    assert entry.body == {**told, "key": f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"}
    assert "grade" not in add_caller({}, "id", NOW, "desk", "campaign", by="root").entry.body
    assert revoke_caller(KNOWN, "id", NOW, "desk", by="root").body == {"change": "revoked", "name": "desk", "role": "agent", "by": "root"}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_be_given(role: str) -> None:
    """But that of customers: a key does not say who of them calls."""
    if role == "self_service":
        with pytest.raises(CallerRefused, match="comes with a token whose subject is the subscriber"):
            add_caller({}, "id", NOW, "x", role, by="root")
        return
    assert add_caller({}, "id", NOW, "x", role, by="root").entry.rows[0].values["role"] == role


@pytest.mark.parametrize(
    ("name", "role", "grade", "says"),
    [
        ("desk", "agent", None, "there is a caller `desk` already"),
        ("Desk", "agent", None, "expected 1 to 64 small letters"),
        ("", "agent", None, "expected 1 to 64 small letters"),
        ("a" * 65, "agent", None, "expected 1 to 64 small letters"),
        ("desk\n", "agent", None, "expected 1 to 64 small letters"),
        ("development", "agent", None, "choose another"),
        ("x", "development", None, "expected one of agent"),
        ("x", "agents", None, "expected one of agent"),
        ("x", "campaign", "leader", "only the role agent has grades"),
        ("x", "agent", "Leader!", "such as leader"),
        ("x", "self_service", None, "comes with a token"),
    ],
)
def test_what_cannot_be_is_refused(name: str, role: str, grade: str | None, says: str) -> None:
    """Names that are taken or mean something else, roles there are not."""
    with pytest.raises(CallerRefused, match=says):
        add_caller(KNOWN, "id", NOW, name, role, by="root", grade=grade)


def test_a_name_may_come_back() -> None:
    """A revoked name gets a new key in the place of the old one."""
    row = add_caller(KNOWN, "id", NOW, "gone", "campaign", by="root").entry.rows[0]
    assert row.values["revoked_at"] is None
    assert {"role", "secret_hash", "revoked_at"} <= set(row.replacing or ())


@pytest.mark.parametrize(("name", "says"), [("dask", "did you mean `desk`"), ("gone", "was revoked at 2026-11-22")])
def test_who_is_not_there_cannot_be_revoked(name: str, says: str) -> None:
    """Neither a name nobody has nor one that was revoked."""
    with pytest.raises(CallerRefused, match=says):
        revoke_caller(KNOWN, "id", NOW, name, by="root")


def test_the_store_says_who_may(database: Database) -> None:
    """By hash, without those that were revoked; told apart from nobody ever having been added."""
    row = {"role": "agent", "grade": "leader", "since": stamp(NOW), "made_by": "root"}
    with database.writing() as connection:
        assert callers_by_key(connection) is None
        connection.execute(insert(CallerRow), {**row, "name": "desk", "secret_hash": hash_of("k1")})
        connection.execute(insert(CallerRow), {**row, "name": "app", "secret_hash": hash_of("k2")})
        connection.execute(update(CallerRow).where(CallerRow.name == "app").values(revoked_at=stamp(NOW)))
    with database.reading() as connection:
        found = callers_by_key(connection) or {}
        assert [(key, caller.name, caller.role, caller.grade) for key, caller in found.items()] == [
            (hash_of("k1"), "desk", "agent", "leader")
        ]
        assert [(caller.name, caller.revoked_at) for caller in all_callers(connection)] == [("app", stamp(NOW)), ("desk", None)]


KIN = {**KNOWN, "desk-2": DESK._replace(name="desk-2", system="desk"), "engine": DESK._replace(name="engine", role="campaign")}


@pytest.mark.parametrize(("name", "beside", "system"), [("desk-3", "desk", "desk"), ("desk-3", "desk-2", "desk"), ("desk-3", None, None)])
def test_a_caller_joins_a_system(name: str, beside: str | None, system: str | None) -> None:
    """That of whom it is put beside, and the record says so; alone it is a system of its own."""
    entry = add_caller(KIN, "id", NOW, name, "agent", by="root", beside=beside).entry
    assert (entry.rows[0].values["system"], entry.body.get("system")) == (system, system)


def test_a_name_belongs_to_one_system_for_ever() -> None:
    """What it decided before it was revoked still belongs there: it comes back to its own, and to no other."""
    known = {**KIN, "desk-2": KIN["desk-2"]._replace(revoked_at=stamp(NOW))}
    assert add_caller(known, "id", NOW, "desk-2", "agent", by="root").entry.rows[0].values["system"] == "desk"
    assert add_caller(known, "id", NOW, "desk-2", "agent", by="root", beside="desk").entry.rows[0].values["system"] == "desk"
    with pytest.raises(CallerRefused, match="`gone` belonged to the system gone before"):
        add_caller(known, "id", NOW, "gone", "agent", by="root", beside="desk")


@pytest.mark.parametrize(
    ("beside", "says"),
    [("dosk", "did you mean `desk`"), ("desk-3", "no other caller `desk-3`"), ("engine", "`engine` has the role campaign")],
)
def test_nobody_to_be_beside(beside: str, says: str) -> None:
    """Somebody who is not there, oneself, or a caller of another role."""
    with pytest.raises(CallerRefused, match=says):
        add_caller(KIN, "id", NOW, "desk-3", "agent", by="root", beside=beside)


def test_the_store_says_which_system(database: Database) -> None:
    """Of those who may call and, for what they decided, of those who were revoked."""
    row = {"role": "agent", "since": stamp(NOW), "made_by": "root"}
    with database.writing() as connection:
        connection.execute(insert(CallerRow), {**row, "name": "desk", "secret_hash": hash_of("k1")})
        connection.execute(
            insert(CallerRow), {**row, "name": "old", "system": "desk", "secret_hash": hash_of("k2"), "revoked_at": stamp(NOW)}
        )
    with database.reading() as connection:
        found = known_callers(connection)
        assert found is not None
        assert (found.by_key[hash_of("k1")].system, found.systems) == ("desk", {"old": "desk"})
