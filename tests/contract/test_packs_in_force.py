"""Packs in force over HTTP: who may do what, in which order, and what is told."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlmodel import col
from starlette.testclient import TestClient

from app.api.application import create_app
from app.api.packs.answers import LARGEST_BODY
from app.api.services import Services
from app.record.entries import NewEntry, Written
from app.record.packs.library import content_of
from app.record.packs.standing import read_history
from app.record.packs.steps import Checked, Desk
from app.record.store.record import Record
from app.record.store.tables import EntryRow, PackStepRow
from tests.packs_in_force import FAILING, add_callers, settings_in, version, with_key, write

pytestmark = pytest.mark.contract

ROLES = {"ann": "author", "abe": "author", "bob": "approver", "bea": "approver", "cora": "compliance", "desk": "agent"}


@dataclass
class Company:
    """A service with callers."""

    http: TestClient
    keys: dict[str, str]

    def post(self, name: str, path: str, body: Any = None) -> Any:
        return self.http.post(path, json={} if body is None else body, headers=with_key(self.keys[name]))

    def get(self, name: str, path: str, **headers: str) -> Any:
        return self.http.get(path, headers={**with_key(self.keys[name]), **headers})

    def step(self, name: str, digest: str, step: str, **body: Any) -> Any:
        return self.post(name, f"/v1/packs/{digest}/{step}", body)

    def published(self, number: str, author: str = "ann") -> str:
        digest: str = self.post(author, "/v1/packs", {"files": version(number)}).json()["pack"]["digest"]
        return digest

    def approved(self, number: str) -> str:
        digest = self.published(number)
        assert self.step("bob", digest, "approve").status_code == 200
        return digest


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("company")
    write(folder / "pack", version("1.0.0"))
    settings = settings_in(folder)
    keys = add_callers(settings, **ROLES)
    with TestClient(create_app(settings), base_url="http://wanliu") as client:
        yield Company(client, keys)


def kind(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["type"].rpartition(":")[2]


def test_an_empty_store_is_seeded_with_the_folder_s_pack(company: Company) -> None:
    """Published, approved and activated by `seed`, before the service starts."""
    digest = content_of(version("1.0.0")).digest
    told = company.get("cora", f"/v1/packs/{digest}").json()
    assert [(step["step"], step["by"]) for step in told["steps"]] == [(step, "seed") for step in ("published", "approved", "activated")]
    assert company.http.get("/readyz").json()["pack"]["digest"] == company.get("cora", "/v1/packs").json()["running"]


def test_a_pack_is_published_with_what_its_tests_came_to(company: Company) -> None:
    """201 the first time, 200 when it was published before; tests that fail are told."""
    files = version("2.0.0", FAILING)
    first, second = (company.post("ann", "/v1/packs", {"files": files}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    digest = content_of(files).digest
    assert first.headers["location"] == f"/v1/packs/{digest}"
    assert {key: first.json()["pack"][key] for key in ("digest", "name", "version", "state", "author", "approved_by")} == {
        "digest": digest,
        "name": "small",
        "version": "2.0.0",
        "state": "published",
        "author": "ann",
        "approved_by": None,
    }
    assert first.json()["tests"] == {
        "passed": 0,
        "failed": 1,
        "failures": ["policies/tests/a.yaml:5:5: the test `A caller` fails"],
    }
    assert len(company.get("ann", f"/v1/packs/{digest}").json()["steps"]) == 1
    approval = company.step("bob", digest, "approve")
    assert kind(approval) == (409, "wrong-state")
    assert "one of its own tests failed when it was published\nmend it" in approval.json()["detail"]


def test_two_who_publish_the_same_pack_at_once_both_did(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second is on record as an author too, and the files are there once."""
    write, others = Record.write, iter(["abe"])
    services: Services = company.http.app.state.services  # type: ignore[attr-defined]
    pack = Checked(content_of(version("2.0.5")), "small", "2.0.5")

    async def write_second(self: Record, entry: NewEntry) -> Written:
        for name in others:
            first = Desk(self.read_now(read_history), services.clock(), services.ids).publish(pack, name, None)
            assert first is not None
            await write(self, first)
        return await write(self, entry)

    monkeypatch.setattr(Record, "write", write_second)
    response = company.post("ann", "/v1/packs", {"files": version("2.0.5")})
    assert (response.status_code, response.json()["pack"]["author"]) == (201, "abe")
    steps = company.get("ann", f"/v1/packs/{pack.content.digest}").json()["steps"]
    assert [(step["step"], step["by"]) for step in steps] == [("published", "abe"), ("published", "ann")]


def test_other_tests_make_no_other_pack(company: Company) -> None:
    """What was published stays as it was: other tests need another version."""
    company.published("2.1.0")
    assert kind(company.post("ann", "/v1/packs", {"files": version("2.1.0", None)})) == (409, "wrong-state")


def test_a_pack_with_mistakes_is_refused_with_all_of_them(company: Company) -> None:
    """By file, line and column, as `wanliu pack check` tells them; nothing is stored."""
    files = version("2.2.0")
    files["rules/rules.yaml"] = files["rules/rules.yaml"].replace("billing.toll_fee", "billing.tol_fee").replace("2 * param.floor", "2 * x")
    response = company.post("ann", "/v1/packs", {"files": files})
    assert kind(response) == (422, "invalid-pack")
    errors = {error["field"]: error["message"] for error in response.json()["errors"]}
    assert len(errors) > 1
    assert errors["files.rules/rules.yaml:15:14"] == "unknown name `billing.tol_fee`; did you mean `billing.toll_fee`? [unknown-name]"
    assert company.get("ann", f"/v1/packs/{content_of(files).digest}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "files"),
        ({"files": {}}, "files"),
        ({"files": {"rules/pack.yaml": 1}}, "files"),
        ({"files": {"rules/pack.yaml": ""}, "author": "bob"}, "files"),
    ],
)
def test_what_is_no_pack_is_refused(company: Company, body: Any, field: str) -> None:
    """With the field that is wrong."""
    response = company.post("ann", "/v1/packs", body)
    assert kind(response) == (422, "invalid-request")
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "path", ["../rules/a.yaml", "rules/../a.yaml", "/rules/a.yaml", "rules/a.txt", "rules\\a.yaml", "rules/.yaml", "a.yaml"]
)
def test_a_path_that_leads_elsewhere_is_refused(company: Company, path: str) -> None:
    """Whoever writes the files of a pack into a folder writes nothing outside of it."""
    response = company.post("ann", "/v1/packs", {"files": {**version("2.3.0"), path: "x: 1"}})
    assert kind(response) == (422, "invalid-pack")
    assert "cannot be the path" in response.json()["errors"][0]["message"]


def test_somebody_else_approves(company: Company) -> None:
    """Not who published it; then it may be activated, not before."""
    digest = company.published("3.0.0", "ann")
    assert kind(company.step("bob", digest, "activate")) == (409, "wrong-state")
    told = company.step("bob", digest, "approve", note="read and tried").json()
    assert (told["pack"]["state"], told["pack"]["approved_by"], told["steps"][-1]["note"]) == ("approved", "bob", "read and tried")
    assert kind(company.step("bea", digest, "approve")) == (409, "wrong-state")
    assert company.step("bob", digest, "activate").json()["pack"]["state"] == "active"
    assert company.get("cora", "/v1/packs").json()["active"] == digest


def test_nobody_approves_their_own(company: Company) -> None:
    """Whoever published a pack, over HTTP or on the command line, cannot approve it, whatever the case of the name."""
    services: Services = company.http.app.state.services  # type: ignore[attr-defined]
    pack = Checked(content_of(version("3.1.0")), "small", "3.1.0")
    history = services.record.read_now(read_history)
    entry = Desk(history, services.clock(), services.ids).publish(pack, "Bob", None)
    assert entry is not None
    services.record.write_now(entry)
    response = company.step("bob", pack.content.digest, "approve")
    assert kind(response) == (409, "own-pack")
    assert "somebody else has to approve it" in response.json()["detail"]
    assert company.step("bea", pack.content.digest, "approve").status_code == 200


def test_roles_keep_apart(company: Company) -> None:
    """Authors publish, approvers do the rest, compliance reads, others see nothing."""
    digest = company.published("3.2.0")
    assert kind(company.post("bob", "/v1/packs", {"files": version("3.3.0")})) == (403, "forbidden")
    for step in ("approve", "reject", "activate", "withdraw"):
        assert kind(company.step("ann", digest, step)) == (403, "forbidden")
    assert kind(company.post("ann", "/v1/packs/rollback")) == (403, "forbidden")
    assert kind(company.post("cora", "/v1/packs", {"files": {}})) == (403, "forbidden")
    assert kind(company.get("desk", "/v1/packs")) == (403, "forbidden")
    assert kind(company.http.get("/v1/packs")) == (401, "unauthenticated")


def test_a_rejection_says_why(company: Company) -> None:
    """It needs a note, and the pack may be published once more."""
    digest = company.published("4.0.0")
    assert kind(company.step("bob", digest, "reject")) == (422, "invalid-request")
    assert kind(company.step("bob", digest, "reject", note=" ")) == (422, "invalid-request")
    assert company.step("bob", digest, "reject", note="too dear").json()["pack"]["state"] == "rejected"
    assert kind(company.step("bob", digest, "approve")) == (409, "wrong-state")
    assert company.post("abe", "/v1/packs", {"files": version("4.0.0")}).status_code == 201
    assert company.step("bob", digest, "approve").json()["pack"]["state"] == "approved"


def test_an_activation_waits_for_its_time(company: Company) -> None:
    """Scheduled, shown, withdrawn; a time without offset, past or far ahead is refused."""
    digest = company.approved("5.0.0")
    ahead = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(days=3)
    told = company.step("bob", digest, "activate", at=ahead.isoformat()).json()["pack"]
    assert (told["state"], datetime.datetime.fromisoformat(told["scheduled_for"])) == ("scheduled", ahead)
    assert company.step("bea", digest, "withdraw").json()["pack"]["state"] == "approved"
    assert kind(company.step("bea", digest, "withdraw")) == (409, "wrong-state")
    for wrong in ("2026-12-01T00:00:00", "2020-01-01T00:00:00+08:00", "2126-01-01T00:00:00Z", "soon"):
        response = company.step("bob", digest, "activate", at=wrong)
        assert kind(response) == (422, "invalid-request")
        assert response.json()["errors"][0]["field"] == "at"


def test_a_rollback_brings_back_the_one_before(company: Company) -> None:
    """And says which; what is active cannot be rejected."""
    first, second = company.approved("6.0.0"), company.approved("6.1.0")
    for digest in (first, second):
        company.step("bob", digest, "activate")
    assert kind(company.step("bob", second, "reject", note="no")) == (409, "wrong-state")
    told = company.post("bob", "/v1/packs/rollback", {"note": "calls fell"}).json()
    assert (told["pack"]["digest"], told["pack"]["state"], told["steps"][-1]["note"]) == (first, "active", "calls fell")
    assert company.get("cora", f"/v1/packs/{second}").json()["pack"]["state"] == "retired"


def test_every_step_is_on_the_record(company: Company) -> None:
    """Each has an entry of its own kind, with codes only; notes stay out of it."""
    digest = company.approved("7.0.0")
    company.step("bob", digest, "activate", note="a word to the wise")
    steps = company.get("cora", f"/v1/packs/{digest}").json()["steps"]
    services: Services = company.http.app.state.services  # type: ignore[attr-defined]
    query = select(col(EntryRow.kind), col(EntryRow.envelope)).where(col(EntryRow.id).in_([step["record"] for step in steps]))
    rows = services.record.read_now(lambda connection: connection.execute(query.order_by(col(EntryRow.id))).all())
    assert [row.kind for row in rows] == ["pack_published", "pack_approved", "pack_activated"]
    assert all(digest.encode() in row.envelope and b"wise" not in row.envelope for row in rows)


def test_the_list_comes_in_pages(company: Company) -> None:
    """Newest first; `next` leads on, and a made-up one is told."""
    for number in ("8.0.0", "8.1.0"):
        company.published(number)
    first = company.get("cora", "/v1/packs?limit=1").json()
    second = company.get("cora", f"/v1/packs?limit=1&cursor={first['next']}").json()
    assert [page["packs"][0]["version"] for page in (first, second)] == ["8.1.0", "8.0.0"]
    assert company.get("cora", "/v1/packs?limit=500").json()["next"] is None
    assert company.get("cora", f"/v1/packs?cursor=sha256:{'0' * 64}").status_code == 404


def test_a_pack_reads_back_with_its_files(company: Company) -> None:
    """As they were published, tests included; unchanged answers are not sent again."""
    files = version("9.0.0")
    digest = company.published("9.0.0")
    response = company.get("cora", f"/v1/packs/{digest}?files=true")
    assert response.json()["files"] == files
    tag = response.headers["etag"]
    assert company.get("cora", f"/v1/packs/{digest}?files=true", **{"if-none-match": f'"x", W/{tag}'}).status_code == 304
    plain = company.get("cora", f"/v1/packs/{digest}")
    assert plain.json()["files"] is None
    assert plain.headers["etag"] != tag
    company.step("bob", digest, "approve")
    assert company.get("cora", f"/v1/packs/{digest}", **{"if-none-match": plain.headers["etag"]}).status_code == 200


def test_an_unknown_pack_is_not_found(company: Company) -> None:
    """Whatever is to be done with it."""
    digest = "sha256:" + "0" * 64
    assert kind(company.get("cora", f"/v1/packs/{digest}")) == (404, "not-found")
    for step in ("approve", "activate", "withdraw"):
        assert kind(company.step("bob", digest, step)) == (404, "not-found")
    assert kind(company.get("cora", "/v1/packs/sha256:short")) == (404, "not-found")
    assert company.get("cora", "/v1/packs/rollback").headers["allow"] == "POST"


def test_a_pack_may_be_larger_than_other_requests(company: Company) -> None:
    """But not without end."""
    comments = {f"policies/tests/{number}.yaml": "#" * 400_000 + "\nsubjects: {}\n" for number in range(3)}
    assert company.post("ann", "/v1/packs", {"files": {**version("9.9.0"), **comments}}).status_code == 201
    headers = {**with_key(company.keys["ann"]), "content-type": "application/json"}
    response = company.http.post("/v1/packs", content=b" " * (LARGEST_BODY + 1), headers=headers)
    assert kind(response) == (413, "body-too-large")


def test_the_pack_that_was_activated_decides_within_seconds(company: Company) -> None:
    """No restart: the answer to who is ready names it, and since when."""
    digest = company.approved("10.0.0")
    company.step("bob", digest, "activate")
    give_up = time.monotonic() + 60
    while company.http.get("/readyz").json()["pack"]["digest"] != digest:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    told = company.http.get("/readyz").json()["in_force"]
    assert (told["follows"], told["state"], told["wanted"], told["problems"]) == ("store", "good", None, [])
    assert told["since"] == company.get("cora", f"/v1/packs/{digest}").json()["pack"]["active_since"]


def in_force(company: Company, holds: Callable[[Any], bool]) -> Any:
    """What `/readyz` says of what is in force, once that holds."""
    give_up = time.monotonic() + 60
    while not holds(told := company.http.get("/readyz").json()["in_force"]):
        assert time.monotonic() < give_up, told
        time.sleep(0.05)
    return told


def test_a_pack_that_cannot_take_over_is_listed_as_refused(company: Company) -> None:
    """With what failed; what decides is the one before it, a rollback leaves that, and another activation is refused."""
    services: Services = company.http.app.state.services  # type: ignore[attr-defined]
    first, second = company.approved("11.0.0"), company.approved("12.0.0")
    for digest in (first, second):
        company.step("bob", digest, "activate")
    pack = Checked(content_of(version("13.0.0", FAILING)), "small", "13.0.0")
    digest = pack.content.digest
    steps: list[Callable[[Desk], Any]] = [
        lambda desk: desk.publish(pack, "ann", None),
        lambda desk: desk.approve(digest, "bob"),
        lambda desk: desk.activate(digest, "bob"),
    ]
    for step in steps:
        services.record.write_now(step(Desk(services.record.read_now(read_history), services.clock(), services.ids)))
    in_force(company, lambda told: told["wanted"] == digest)
    give_up = time.monotonic() + 60
    while (listed := company.get("cora", f"/v1/packs/{digest}").json()["pack"])["state"] != "refused":
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert listed["refused"] == "policies/tests/a.yaml:5:5: the test `A caller` fails"
    told = company.get("cora", "/v1/packs").json()
    assert (told["active"], told["running"]) == (second, second)
    again = company.step("bob", digest, "activate")
    assert kind(again) == (409, "wrong-state")
    assert "cannot take over: policies/tests/a.yaml:5:5" in again.json()["detail"]
    assert company.post("bob", "/v1/packs/rollback").json()["pack"]["digest"] == first
    told = in_force(company, lambda told: (told["state"], told["wanted"]) == ("good", None))
    assert told["problems"] == []


def test_rows_that_stand_for_no_step_are_named(company: Company) -> None:
    """In the list and by readiness; what decides goes on."""
    services: Services = company.http.app.state.services  # type: ignore[attr-defined]
    running = company.get("cora", "/v1/packs").json()["running"]
    row = {"entry_id": "made-up", "digest": running, "step": "rejected", "at": "2026-11-22T10:00:00.000000+00:00", "by": "mallory"}
    with services.record.database.writing() as connection:
        connection.execute(insert(PackStepRow), row)
    told = in_force(company, lambda told: told["state"] == "broken")
    why = f"the row `rejected` of {running[7:19]} by `mallory` at 2026-11-22T10:00:00.000000+00:00 is not on the record: it has no entry"
    assert (told["wanted"], told["problems"]) == (None, [why])
    listed = company.get("cora", "/v1/packs").json()
    assert (listed["active"], listed["running"], listed["not_on_record"]) == (running, running, [why])


def test_the_list_tells_only_the_fields_that_are_wanted(company: Company) -> None:
    """Of each pack, with a tag of its own; one that there is not is refused, with the nearest that there is."""
    whole, some = company.get("cora", "/v1/packs"), company.get("cora", "/v1/packs?fields=version,state")
    packs = [{"version": pack["version"], "state": pack["state"]} for pack in whole.json()["packs"]]
    assert some.json() == {**whole.json(), "packs": packs}
    assert packs
    assert some.headers["etag"] != whole.headers["etag"]
    refused = company.get("cora", "/v1/packs?fields=states")
    assert refused.json()["errors"] == [{"field": "fields", "message": "`states` is no field of the answer; did you mean `state`?"}]


def test_what_is_known_is_not_sent_again(company: Company) -> None:
    """Packs have a tag, one by one and as a list; files alone may be kept for ever, for a digest names their bytes."""
    digest = company.published("7.7.7")
    for path, cache in (
        ("/v1/packs", "private, no-cache"),
        (f"/v1/packs/{digest}", "private, no-cache"),
        (f"/v1/packs/{digest}?fields=files", "private, max-age=31536000, immutable"),
    ):
        first = company.get("cora", path)
        assert first.headers["cache-control"] == cache
        again = company.get("cora", path, **{"if-none-match": f'"x", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert list(first.json()) == ["files"]
    listed = company.get("cora", "/v1/packs").headers["etag"]
    company.published("7.7.8")
    assert company.get("cora", "/v1/packs", **{"if-none-match": listed}).status_code == 200
