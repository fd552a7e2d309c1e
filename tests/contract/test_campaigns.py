"""Campaigns over HTTP: commissioned, refused with what is wrong, looked after by whom they belong to, and what came of them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from app.api.campaigns import commissioning
from app.api.services import Services
from app.campaign.jobs.leftovers import noted
from app.campaign.jobs.places import Place
from app.campaign.jobs.working import JobWorker, Pace
from app.record.campaigns import jobs
from app.record.log.sealer import Sealer
from tests.contract.conftest import Guarded
from tests.contract.standing_in import lay_out
from tests.contract.walking import UNKNOWN

pytestmark = pytest.mark.contract

ASKED: dict[str, Any] = {"input": "customers.csv", "mapping": "customers.map.yaml"}
TRIED: dict[str, Any] = {**ASKED, "mode": "what_if"}


@pytest.fixture(scope="module")
def here(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The application with a caller of each role and a second campaign engine, and a folder of campaigns with customers in it."""
    state = guarded.http.app.state  # type: ignore[attr-defined]
    before, folder = state.services, tmp_path_factory.mktemp("campaigns")
    lay_out(folder)
    state.services = dataclasses.replace(before, campaigns=folder)
    guarded.add("other-engine", "campaign")
    guarded.look()
    yield guarded
    state.services = before


def services(here: Guarded) -> Services:
    found: Services = here.http.app.state.services  # type: ignore[attr-defined]
    return found


def folder(here: Guarded) -> Path:
    return services(here).campaigns


def commissioned(here: Guarded, name: str = "campaign", **changes: Any) -> Any:
    told = here.call(name, "POST", "/v1/campaigns", json={**ASKED, **changes})
    assert told.status_code == 202, told.text
    return told.json()


def work(here: Guarded) -> None:
    """Have everything done that waits."""
    library = services(here).packs.library
    library.keep(services(here).packs.current)
    JobWorker(here.record, library, folder(here), pace=Pace(idle=0.0, look=0.01)).run()


def wrong(told: httpx2.Response, status: int = 422) -> list[tuple[str, str]]:
    assert told.status_code == status, told.text
    assert told.headers["content-type"] == "application/problem+json"
    return [(error["field"], error["message"]) for error in told.json()["errors"]]


@pytest.fixture(scope="module")
def ran(here: Guarded) -> Any:
    """A campaign that was run to its end."""
    campaign = commissioned(here, name="campaign", form="csv", per="subscriber")
    work(here)
    return here.call("campaign", "GET", f"/v1/campaigns/{campaign['id']}").json()


def test_accepted_for_good(here: Guarded) -> None:
    """Answered at once with where it is looked after; who asked for what, and the pack that will decide, stand in the store by then."""
    told = here.call("campaign", "POST", "/v1/campaigns", json={**ASKED, "agent": "a-7", "contact_at": "2199-01-01T10:00:00+08:00"})
    assert told.status_code == 202
    campaign = told.json()
    assert told.headers["location"] == f"/v1/campaigns/{campaign['id']}"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", campaign["id"])
    assert (campaign["state"], campaign["caller"], campaign["agent"], campaign["name"]) == ("waiting", "campaign", "a-7", "customers")
    assert campaign["pack"] == services(here).packs.current.digest
    assert campaign["links"].keys() == {"self", "cancel"}
    stored = here.record.read_now(lambda connection: jobs.read_job(connection, campaign["id"]))
    assert stored is not None
    assert stored.commissioned.asked["contact_at"] == "2199-01-01T10:00:00+08:00"
    assert here.call("campaign", "GET", told.headers["location"]).json() == campaign
    here.call("campaign", "POST", f"/v1/campaigns/{campaign['id']}/cancel")


def test_a_key_commissions_once(here: Guarded) -> None:
    """The same key and body give the same answer, whatever became of the campaign since; another body is refused, another caller is not."""
    headers = {"idempotency-key": "night-1"}
    first = here.call("campaign", "POST", "/v1/campaigns", json=ASKED, headers=headers)
    here.call("campaign", "POST", f"/v1/campaigns/{first.json()['id']}/cancel")
    again = here.call("campaign", "POST", "/v1/campaigns", json=ASKED, headers=headers)
    assert (again.status_code, again.content, again.headers["location"]) == (202, first.content, first.headers["location"])
    other = here.call("campaign", "POST", "/v1/campaigns", json={**ASKED, "size": 7}, headers=headers)
    assert other.json()["type"] == "urn:wanliu:problem:idempotency-key-reused"
    theirs = here.call("other-engine", "POST", "/v1/campaigns", json={**ASKED, "size": 7}, headers=headers)
    assert theirs.status_code == 202
    here.call("other-engine", "POST", f"/v1/campaigns/{theirs.json()['id']}/cancel")


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"input": "costumers.csv"}, "input", "did you mean `customers.csv`?"),
        ({"input": "../wanliu.db"}, "input", "expected a name in the folder of campaigns"),
        ({"input": "/etc/hosts"}, "input", "expected a name in the folder of campaigns, such as customers.csv"),
        ({"input": "a\\b"}, "input", "expected a name in the folder of campaigns"),
        ({"mapping": "customers.csv"}, "mapping", "customers.csv"),
        ({"mapping": None}, "mapping", "`wanliu campaign map` proposes one"),
        ({"channel": "sms"}, "channel", "expected one of"),
        ({"contact_at": "2020-01-01T10:00:00+08:00"}, "contact_at", "is past"),
        ({"size": 0}, "size", "expected"),
        ({"size": "10"}, "size", "expected"),
        ({"form": "xlsx"}, "form", "expected one of"),
        ({"maping": "x"}, "maping", "did you mean `mapping`?"),
        ({"name": "a\nb"}, "name", "expected"),
        ({"limits": "limits.yaml"}, "limits", "is not in the folder of campaigns"),
    ],
)
def test_what_is_wrong_is_told_at_once(here: Guarded, changes: dict[str, Any], field: str, said: str) -> None:
    """By the field, with the nearest right thing, and without where the folder is; nothing is accepted."""
    before = here.call("campaign", "GET", "/v1/campaigns?limit=1").json()
    told = here.call("campaign", "POST", "/v1/campaigns", json={**ASKED, **changes})
    assert [name for name, _ in wrong(told)] == [field]
    assert said in wrong(told)[0][1]
    assert str(folder(here)) not in told.text
    assert here.call("campaign", "GET", "/v1/campaigns?limit=1").json() == before


def test_who_tries_and_who_runs(here: Guarded) -> None:
    """Authors, approvers and compliance leave no trace; campaign engines do. Others are refused."""
    for role in ("author", "approver", "compliance"):
        assert wrong(here.call(role, "POST", "/v1/campaigns", json=ASKED), 403)[0][0] == "mode"
        tried = here.call(role, "POST", "/v1/campaigns", json=TRIED)
        assert (tried.status_code, tried.json()["mode"]) == (202, "what_if")
        here.call(role, "POST", f"/v1/campaigns/{tried.json()['id']}/cancel")
    assert wrong(here.call("campaign", "POST", "/v1/campaigns", json=TRIED), 403)[0][0] == "mode"
    for role in ("agent", "self_service", "privacy_officer", "operations"):
        assert here.call(role, "POST", "/v1/campaigns", json=ASKED).status_code == 403


def test_ones_own_system_only(here: Guarded) -> None:
    """Somebody else's is answered like one that there never was, to the byte; compliance and operations see all."""
    campaign = commissioned(here)
    paths = [("GET", ""), ("POST", "/cancel"), ("POST", "/resume"), ("GET", "/report"), ("GET", "/decisions"), ("GET", "/rejects")]
    for method, rest in paths:
        for role in ("other-engine", "author"):
            theirs = here.call(role, method, f"/v1/campaigns/{campaign['id']}{rest}")
            nobodys = here.call(role, method, f"/v1/campaigns/{UNKNOWN}{rest}")
            assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content) == (404, theirs.content)
    for role, sees in (("campaign", True), ("compliance", True), ("operations", True), ("other-engine", False), ("author", False)):
        listed = here.call(role, "GET", "/v1/campaigns?limit=200").json()["campaigns"]
        assert (campaign["id"] in [found["id"] for found in listed]) == sees
    assert here.call("operations", "GET", f"/v1/campaigns/{campaign['id']}/decisions").status_code == 403
    cancelled = here.call("operations", "POST", f"/v1/campaigns/{campaign['id']}/cancel").json()
    assert (cancelled["state"], cancelled["cancelled_by"]) == ("cancelled", "operations")


def test_lists_by_page_state_and_name(here: Guarded) -> None:
    """Newest first; what has not changed need not be sent again."""
    made = [commissioned(here, name="campaign", size=size) for size in (1, 2, 3)]
    ids = [campaign["id"] for campaign in made][::-1]
    first = here.call("campaign", "GET", "/v1/campaigns?limit=2")
    assert [found["id"] for found in first.json()["campaigns"]] == ids[:2]
    second = here.call("campaign", "GET", f"/v1/campaigns?limit=2&cursor={first.json()['next']}").json()
    assert second["campaigns"][0]["id"] == ids[2]
    same = here.call("campaign", "GET", "/v1/campaigns?limit=2", headers={"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    one = here.call("campaign", "GET", f"/v1/campaigns/{ids[0]}")
    assert here.call("campaign", "GET", f"/v1/campaigns/{ids[0]}", headers={"if-none-match": one.headers["etag"]}).status_code == 304
    here.call("campaign", "POST", f"/v1/campaigns/{ids[0]}/cancel")
    waiting = here.call("campaign", "GET", "/v1/campaigns?state=waiting&state=running&name=customers&limit=200").json()["campaigns"]
    assert {found["id"] for found in waiting} & set(ids) == set(ids[1:])
    assert here.call("campaign", "GET", "/v1/campaigns?name=nothing").json() == {"campaigns": [], "next": None}
    assert wrong(here.call("campaign", "GET", "/v1/campaigns?state=done"))[0][0].startswith("state")
    for campaign in ids[1:]:
        here.call("campaign", "POST", f"/v1/campaigns/{campaign}/cancel")


def test_steps_have_their_places(here: Guarded, ran: Any) -> None:
    """One that ended can neither be cancelled nor gone on with; one that was cancelled before it began can begin."""
    for step in ("cancel", "resume"):
        told = here.call("campaign", "POST", f"/v1/campaigns/{ran['id']}/{step}")
        assert (told.status_code, told.json()["type"]) == (409, "urn:wanliu:problem:wrong-state")
        assert "completed" in told.json()["detail"]
    campaign = commissioned(here)
    cancelled = here.call("campaign", "POST", f"/v1/campaigns/{campaign['id']}/cancel").json()
    assert cancelled["links"].keys() == {"self", "resume"}
    assert here.call("campaign", "POST", f"/v1/campaigns/{campaign['id']}/cancel").json() == cancelled
    resumed = here.call("campaign", "POST", f"/v1/campaigns/{campaign['id']}/resume").json()
    assert (resumed["state"], resumed["cancelled_by"], resumed["ended_at"]) == ("waiting", None, None)
    for part in ("report", "decisions", "rejects"):
        told = here.call("campaign", "GET", f"/v1/campaigns/{campaign['id']}/{part}")
        assert (told.status_code, "waiting" in told.json()["detail"]) == (409, True)
    here.call("campaign", "POST", f"/v1/campaigns/{campaign['id']}/cancel")


def test_what_came_of_it(here: Guarded, ran: Any) -> None:
    """How far it came, the report as JSON and as a page, the decisions in the form that was asked for, and the rows that were refused."""
    assert (ran["state"], ran["progress"]["rows"], ran["progress"]["decided"], ran["progress"]["rejected"]) == ("completed", 12, 7, 5)
    assert (ran["progress"]["share"], ran["progress"]["seconds_left"]) == (1.0, None)
    links = ran["links"]
    report = here.call("campaign", "GET", links["report"])
    assert (report.json()["run"]["campaign"], report.json()["figures"]["decided"]) == ("customers", 7)
    page = here.call("operations", "GET", links["report"], headers={"accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.startswith("<!doctype html>")
    assert (report.headers["vary"], page.headers["vary"]) == ("Accept", "Accept")
    decisions = here.call("campaign", "GET", links["decisions"])
    assert decisions.headers["content-type"].startswith("text/csv")
    assert 'filename="customers.csv"' in decisions.headers["content-disposition"]
    head, *rows = decisions.text.splitlines()
    assert head.startswith("row,subscriber,decision_id")
    assert len(rows) == 7
    assert here.call("campaign", "GET", links["decisions"], headers={"if-none-match": decisions.headers["etag"]}).status_code == 304
    rejects = here.call("campaign", "GET", links["rejects"])
    assert (rejects.headers["content-type"], len(rejects.text.splitlines())) == ("application/x-ndjson", 5)


def test_its_decisions_are_on_the_record(here: Guarded, ran: Any) -> None:
    """Each can be read by its id by whoever asked for it, and the record says who had them all."""
    [row, *_] = here.call("campaign", "GET", ran["links"]["decisions"]).text.splitlines()[1:]
    one = here.call("campaign", "GET", f"/v1/decisions/{row.split(',')[2]}")
    assert (one.status_code, one.json()["pack"]["digest"]) == (200, ran["pack"])
    assert here.call("other-engine", "GET", f"/v1/decisions/{row.split(',')[2]}").status_code == 404
    Sealer(here.record.database, here.record.keys, here.record.clock).seal()
    notes = here.call("compliance", "GET", "/v1/decisions?kind=read&caller=campaign&limit=200").json()["entries"]
    told = [note["envelope"]["body"] for note in notes]
    assert {"caller": "campaign", "role": "campaign", "what": "campaign", "of": ran["recorded_as"], "found": 7}.items() <= told[1].items()
    opened = here.call("compliance", "GET", "/v1/decisions?kind=campaign_opened&limit=200").json()["entries"]
    [mine] = [entry["envelope"]["body"] for entry in opened if entry["id"] == ran["recorded_as"]]
    assert (mine["caller"], mine["options"]["order"]) == ("campaign", ran["id"])


def test_a_file_that_was_taken_away(here: Guarded) -> None:
    """Is not there, and the answer says why."""
    campaign = commissioned(here)
    work(here)
    Place(folder(here), campaign["id"]).decisions("parquet").unlink()
    told = here.call("campaign", "GET", f"/v1/campaigns/{campaign['id']}/decisions")
    assert (told.status_code, "not there any more" in told.json()["detail"]) == (404, True)


def test_files_whose_time_is_over(here: Guarded) -> None:
    """The answer says when they went; the report is still there, and links say what is."""
    campaign = commissioned(here)
    work(here)
    jobs.clear(here.record.database, campaign["id"], here.record.clock())
    path = f"/v1/campaigns/{campaign['id']}"
    for part in ("decisions", "rejects"):
        told = here.call("campaign", "GET", f"{path}/{part}")
        assert (told.status_code, told.json()["type"]) == (404, "urn:wanliu:problem:not-found")
        assert "were removed at 20" in told.json()["detail"]
    assert here.call("campaign", "GET", f"{path}/report").status_code == 200
    assert here.call("campaign", "GET", path).json()["links"].keys() == {"self", "report"}


def test_who_is_erased_is_in_no_file(here: Guarded) -> None:
    """Whether or not the record knew them."""
    campaign = commissioned(here, form="ndjson", per="subscriber")
    work(here)
    path, basis = f"/v1/campaigns/{campaign['id']}/decisions", {"basis": "request"}
    first, *rest = here.call("campaign", "GET", path).text.splitlines()
    who = {"x-subscriber-id": orjson.loads(first)["subscriber"]}
    for status in (200, 404):
        assert here.call("privacy_officer", "POST", "/v1/subscribers/-/erasure", json=basis, headers=who).status_code == status
        assert len(noted(folder(here))) == 1
        work(here)
        assert here.call("campaign", "GET", path).text.splitlines() == rest


def test_one_that_failed_says_why(here: Guarded) -> None:
    """With what to do; and it is gone on with."""
    (folder(here) / "late.csv").write_bytes((folder(here) / "customers.csv").read_bytes())
    campaign = commissioned(here, input="late.csv")
    (folder(here) / "late.csv").unlink()
    work(here)
    failed = here.call("campaign", "GET", f"/v1/campaigns/{campaign['id']}").json()
    assert (failed["state"], failed["problem"]["kind"]) == ("failed", "input")
    assert str(folder(here)) not in failed["problem"]["detail"]
    assert failed["links"].keys() == {"self", "cancel", "resume"}
    assert here.call("campaign", "POST", failed["links"]["cancel"]).json()["state"] == "cancelled"


def test_there_is_room_for_so_many(here: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused until some have ended."""
    monkeypatch.setattr(commissioning, "MOST_UNDER_WAY", 0)
    told = here.call("campaign", "POST", "/v1/campaigns", json=ASKED)
    assert (told.status_code, told.json()["type"]) == (409, "urn:wanliu:problem:no-room")
