"""Decisions of campaigns over HTTP: read, explained, made again, proved and answered by their ids, as any other."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import polars as pl
import pytest

from app.engine.decide import decide
from app.record.campaigns.campaign import Campaign, open_campaign
from app.record.campaigns.files import HELD_SCHEMA
from app.record.campaigns.ids import row_id
from app.record.campaigns.model import Counts, HeldRows
from app.record.erasing.persons import erase
from app.record.log.sealer import Sealer
from tests.campaigns import head, part, people, some_row
from tests.contract.conftest import Guarded
from tests.pipeline import shipped
from tests.records import leaf_hash_of

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def campaign(guarded: Guarded) -> Campaign:
    """A campaign about twelve people, of the caller `campaign`, sealed."""
    made = open_campaign(guarded.record, head(caller="campaign"))
    made.write(part(1, 12, caller="campaign"))
    made.close(Counts(12, 12, 0))
    Sealer(guarded.record.database, guarded.record.keys, guarded.record.clock).seal()
    return made


def get(guarded: Guarded, caller: str, path: str) -> Any:
    response = guarded.call(caller, "GET", path)
    assert response.status_code == 200, response.text
    return response.json()


def test_it_is_read(guarded: Guarded, campaign: Campaign) -> None:
    """By a reviewer and by whose campaign it is: the answer that a request for the same would have had. Others do not find it."""
    decision_id = campaign.decision_id(some_row())
    for caller in ("compliance", "campaign"):
        answer = get(guarded, caller, f"/v1/decisions/{decision_id}")
        assert (answer["decision_id"], answer["record"]) == (decision_id, {"state": "durable"})
        assert answer["actions"][0]["title"]
        assert set(get(guarded, caller, f"/v1/decisions/{decision_id.upper()}?fields=stage")) <= {"decision_id", "stage"}
    assert guarded.call("agent", "GET", f"/v1/decisions/{decision_id}").status_code == 404


def test_it_is_explained_made_again_and_told_in_full(guarded: Guarded, campaign: Campaign) -> None:
    """In words, to the byte of its codes, and with all there is to it; each look is on record."""
    decision_id = campaign.decision_id(some_row())
    assert get(guarded, "compliance", f"/v1/decisions/{decision_id}/explanation?locale=en")["explanation"]["phase"]
    assert get(guarded, "compliance", f"/v1/decisions/{decision_id}/replay")["replay"]["verdict"] == "same_bytes"
    dossier = get(guarded, "compliance", f"/v1/decisions/{decision_id}/record")
    assert (dossier["working"]["faithful"], dossier["state"]) == (True, "readable")
    assert dossier["answer"]["decision_id"] == decision_id
    Sealer(guarded.record.database, guarded.record.keys, guarded.record.clock).seal()
    found = get(guarded, "compliance", "/v1/decisions?kind=read&limit=200")["entries"]
    told = {entry["envelope"]["body"]["what"] for entry in found if entry["envelope"]["body"].get("of") == decision_id}
    assert {"decision", "explanation", "replay"} <= told


def test_what_limits_made_of_it_is_told_beside_it(guarded: Guarded, campaign: Campaign) -> None:
    """Of each action on its list: when it goes out, or what holds it; of a campaign without limits nothing is told."""
    made = open_campaign(guarded.record, head(caller="campaign", name="limited"))
    made.write(part(1, 12, caller="campaign", name="limited"))
    row = some_row()
    listed = [(at, item.rank, item.action) for at in range(1, 13) for item in decide(shipped(), people()[at - 1]).ranked]
    held = [(*item, None, "budget", "cost") if item[0] == row else (*item, 2, None, None) for item in listed]
    made.hold(HeldRows("sha256:" + "3" * 64, pl.DataFrame(held, HELD_SCHEMA, orient="row"), 11, 1, {}, 0, 0))
    made.close(Counts(12, 12, 0))
    answer = get(guarded, "campaign", f"/v1/decisions/{made.decision_id(row)}")
    assert [item["action"] for item in answer["limits"]] == [action["action"] for action in answer["actions"]]
    assert {(item["day"], item["cause"], item["limit"]) for item in answer["limits"]} == {(None, "budget", "cost")}
    dossier = get(guarded, "compliance", f"/v1/decisions/{made.decision_id(row)}/record")
    assert dossier["limits"] == answer["limits"]
    assert "limits" not in dossier["answer"]
    assert "limits" not in get(guarded, "campaign", f"/v1/decisions/{campaign.decision_id(row)}")


def test_it_is_searched_for_and_in_ones_own_list(guarded: Guarded, campaign: Campaign) -> None:
    """By the name of its campaign, with the leaf of its part; and the person reads it among their own decisions."""
    row = some_row()
    decision_id, person = campaign.decision_id(row), people()[row - 1].subscriber.id
    found = get(guarded, "compliance", "/v1/decisions?campaign=spring&limit=200")["entries"]
    assert [entry["id"] for entry in found] == [campaign.decision_id(number) for number in range(12, 0, -1)]
    assert {(entry["kind"], entry["leaf"]) for entry in found} == {("decision", found[0]["leaf"])}
    guarded.name("the person", "self_service", person)
    assert decision_id in [one["decision_id"] for one in get(guarded, "the person", "/v1/my/decisions")["decisions"]]


def test_it_is_proved(guarded: Guarded, campaign: Campaign) -> None:
    """With nothing but SHA-256: from its envelope to the root of its part, which the part's envelope names, whose leaf is in the log."""
    proof = get(guarded, "compliance", f"/v1/decisions/{campaign.decision_id(5)}/proof")
    row = proof["row"]
    assert leaf_hash_of(row["envelope"]) == row["leaf_hash"]
    assert leaf_hash_of(proof["envelope"]) == proof["leaf_hash"]
    assert orjson.loads(proof["envelope"])["body"]["root"] == f"sha256:{row['root']}"
    assert _root(row["leaf_hash"], row["position"], row["size"], row["path"]) == row["root"]
    assert _root(proof["leaf_hash"], proof["leaf"], proof["size"], proof["path"]) == proof["root"]
    assert (orjson.loads(row["envelope"])["id"], proof["decision_id"]) == (campaign.decision_id(5),) * 2


def _root(leaf: str, index: int, size: int, path: list[str]) -> str:
    """RFC 9162, section 2.1.3.2."""
    found, last = bytes.fromhex(leaf), size - 1
    for step in map(bytes.fromhex, path):
        if index & 1 or index == last:
            found = hashlib.sha256(b"\1" + step + found).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + step).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return found.hex()


def test_outcomes_are_told_of_it(guarded: Guarded, campaign: Campaign) -> None:
    """By whose campaign it is, as of a decision that was asked for alone; a refusal leads to the next one."""
    decision_id = campaign.decision_id(some_row())
    [action, *_] = get(guarded, "campaign", f"/v1/decisions/{decision_id}")["actions"]
    path = f"/v1/decisions/{decision_id}/responses"
    shown = guarded.call("campaign", "POST", path, json={"action": action["action"], "outcome": "shown"})
    assert (shown.status_code, shown.json()["decision_id"]) == (200, decision_id), shown.text
    refused = guarded.call("campaign", "POST", path, json={"action": action["action"], "outcome": "refused"})
    assert refused.status_code == 200, refused.text
    told = get(guarded, "compliance", f"/v1/decisions/{decision_id}/record")
    assert [item["outcome"] for item in told["outcomes"]] == ["shown", "refused"]
    following = refused.json()["next"]
    if following is not None:
        assert told["conversation"]["after"] == [following["decision_id"]]
        before = get(guarded, "compliance", f"/v1/decisions/{following['decision_id']}/record")["conversation"]["before"]
        assert before == [decision_id]
    unknown = guarded.call("campaign", "POST", path, json={"action": "made_up", "outcome": "shown"})
    assert unknown.status_code == 404


def test_it_is_rechecked(guarded: Guarded, campaign: Campaign) -> None:
    """Before it goes out, as any other."""
    row = next(row for row in range(12, 0, -1) if get(guarded, "campaign", f"/v1/decisions/{campaign.decision_id(row)}")["actions"])
    decision_id = campaign.decision_id(row)
    [action, *_] = get(guarded, "campaign", f"/v1/decisions/{decision_id}")["actions"]
    body = {"items": [{"decision_id": decision_id, "action": action["action"]}]}
    [item] = guarded.call("campaign", "POST", "/v1/decisions/recheck", json=body).json()["items"]
    assert item["cause"] != "not_found"


def test_what_is_not_there(guarded: Guarded, campaign: Campaign) -> None:
    """A row beyond the end, another campaign, an erased person."""
    for decision_id in (campaign.decision_id(13), row_id("019aa9c1-83d0-7c2e-8f5b-0c1d2e3f4a5b", 1)):
        for path in ("", "/record", "/explanation", "/replay", "/proof"):
            assert guarded.call("compliance", "GET", f"/v1/decisions/{decision_id}{path}").status_code == 404
    erase(guarded.record, people()[11].subscriber.id, basis="asked", by="pia")
    erased = campaign.decision_id(12)
    assert guarded.call("compliance", "GET", f"/v1/decisions/{erased}").status_code == 410
    assert guarded.call("compliance", "GET", f"/v1/decisions/{erased}/explanation").status_code == 410
    assert get(guarded, "compliance", f"/v1/decisions/{erased}/replay")["replay"]["verdict"] == "erased"
    assert get(guarded, "compliance", f"/v1/decisions/{erased}/proof")["state"] == "erased"


def test_a_file_that_is_missing_is_damage(guarded: Guarded, campaign: Campaign) -> None:
    """It is told as such, not as a decision that never was."""
    [path] = campaign.folder.glob("*.parquet")
    content = path.read_bytes()
    path.unlink()
    try:
        response = guarded.call("compliance", "GET", f"/v1/decisions/{campaign.decision_id(1)}")
        assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (500, "damaged")
    finally:
        path.write_bytes(content)
