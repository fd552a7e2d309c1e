"""The letter that answers a complaint, as a regulator reads it: in one language, in local time, with all that was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.engine.intake import parse_request, take
from app.engine.vocabulary import OutcomeReport
from app.record.callers import Caller
from app.record.erasing.persons import erase
from app.record.export.complaint import SeveralPersons
from app.record.export.sharing import give_access, give_answer
from app.record.keys import Keys
from app.record.outcomes import Told, answerable, outcome_entry
from app.record.packs.library import PackLibrary
from app.record.store.database import Database
from tests.docs.pages import ROOT
from tests.pipeline import shipped
from tests.records import Written, written

pytestmark = pytest.mark.unit
LETTERS = re.compile("[A-Za-z_]{3,}")
OURS = {"sha", "UTC", "verify", "README", "dossiers", "telco", "reference", "wanliu", "test", "desk", "ann"}
REQUEST: dict[str, Any] = {
    "channel": "call_centre",
    "direction": "inbound",
    "reason": "bill",
    "caller_relation": "holder",
    "verified": "sms",
    "agent": "A-003",
    "subscriber": {
        "id": "s-7",
        "account": {"status": "active", "tenure_months": 42},
        "billing": {"total": [2900, 3050, 3400, 6600, 7100, 7900]},
        "consent": {"marketing": "no", "personalised": "yes", "refused_channels": ["outbound_call"]},
        "port": {"state": "queried", "last_on": "2026-11-01"},
        "events": [],
        "contacts": [{"at": "2026-11-01T10:00:00+08:00", "channel": "app", "kind": "offer", "action": "tariff_pack", "result": "refused"}],
    },
}


@pytest.fixture
def record(sqlite_database: Database, keys: Keys) -> Iterator[Written]:
    with written(sqlite_database, keys) as made:
        made.publish()
        yield made


def decided(record: Written, name: str = "s-7", **changes: Any) -> str:
    body = {**REQUEST, **changes}
    body["subscriber"] = {**body["subscriber"], "id": name}
    case = take(shipped(), parse_request(orjson.dumps(body)), now=record.clock.now, role="agent")
    decision_id = record.decide(case, agent="A-003")
    record.seal()
    return decision_id


def told(record: Written, decision: str, **report: Any) -> None:
    now = record.clock.ahead(seconds=1)
    found = record.record.read_now(lambda connection: answerable(connection, decision))
    assert found is not None
    said = OutcomeReport.model_validate(report)
    record.record.write_now(outcome_entry(Told(record.ids.new(now), now, found, said, Caller("desk", "agent")), b"{}"))
    record.seal()


def answer(record: Written, out: Path, *ids: str, locale: str = "zh-CN") -> str:
    give_answer(record.record, PackLibrary(record.database), ids, out, caller="rex", role="compliance", locale=locale)
    return (out / "answer.md").read_text("utf-8")


def test_a_chinese_letter_is_chinese(record: Written, tmp_path: Path) -> None:
    """No code and no English heading in it, but names, digests and references."""
    decision = decided(record)
    told(record, decision, action="bill_explain", outcome="refused", agent="A-003")
    page = answer(record, tmp_path / "a", decision)
    strange = {word for word in LETTERS.findall(page.replace(decision, "").replace(shipped().digest, "")) if word not in OURS}
    assert strange <= {"App", "ARPU"}
    for words in (
        "客服热线（用户来访）",
        "desk（坐席 A-003）",
        "营销信息：拒绝",
        "拒绝的渠道：外呼",
        "不适用：由用户主动联系",
        "已查询资格，2026-11-01",
        "发布：ann，2026-11-22 10:00（UTC+08:00）",
        "2026-11-01 10:00（UTC+08:00），App，国际及港澳台通话包",
        "项用于其他阶段或渠道，未列入比较。",
        "| 账单解读 | 已拒绝 |",
    ):
        assert words in page
    assert "00:00.0" not in page


def test_an_english_letter_says_the_same(record: Written, tmp_path: Path) -> None:
    """In English throughout, without codes."""
    decision = decided(record)
    page = answer(record, tmp_path / "a", decision, locale="en")
    assert not re.search("[\u4e00-\u9fff（），。]", page)
    for words in ("desk (agent A-003)", "marketing: refused", "refused channels: outbound call", "published by ann on", "Sunday"):
        assert words in page
    assert "Nothing was reported of what became of it." in page


def test_a_letter_names_reference_reason_and_agent(record: Written, tmp_path: Path) -> None:
    """Of what became of an action."""
    decision = decided(record)
    told(record, decision, action="bill_explain", outcome="activated", agent="A-9", reference="REC-17", reason="price")
    page = answer(record, tmp_path / "a", decision)
    assert "| 账单解读 | 已生效 | REC-17 | 资费 | A-9 |" in page


def test_hours_of_a_contact_of_ours_are_told(record: Written, tmp_path: Path) -> None:
    """Kept, or what was kept out for them; with the day of the week."""
    request = orjson.loads((ROOT / "examples" / "02-high-tariff.json").read_bytes())
    request = {**request, "contact_at": "2026-11-24T03:00:00+08:00"}
    del request["as_of"]
    page = answer(record, tmp_path / "a", decided(record, **{"reason": None, "caller_relation": None, "verified": None, **request}))
    assert "2026-11-24 03:00（UTC+08:00），周二，非法定节假日" in page
    assert re.search("时段：不符合，已拦截[0-9]+项动作", page)


def test_a_letter_about_an_erased_person_is_in_its_language(record: Written, tmp_path: Path) -> None:
    """Titles instead of codes, causes in words, and that what was known is gone."""
    decision = decided(record)
    erase(record.record, "s-7", basis="request", by="pia")
    page = answer(record, tmp_path / "a", decision)
    assert "该用户的个人信息已删除" in page
    assert "1. 账单解读" in page
    assert "- **情况不符**" in page
    assert "was erased" not in page
    assert "was erased" in answer(record, tmp_path / "b", decision, locale="en")


def test_a_letter_is_about_one_person(record: Written, tmp_path: Path) -> None:
    """Decisions about two are refused before anything is written, on disk or on the record."""
    ids = [decided(record), decided(record, "s-8")]
    with pytest.raises(SeveralPersons, match="about 2 persons; write one answer for each"):
        answer(record, tmp_path / "a", *ids)
    assert not (tmp_path / "a").exists()


def test_where_the_list_is_not_the_sealed_one_the_sealed_one_is_told(
    record: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version of the engine that decides otherwise puts no words into the record's mouth."""
    decision = decided(record)
    monkeypatch.setattr("app.record.export.letter._Page.as_sealed", lambda *_: False)
    page = answer(record, tmp_path / "a", decision)
    assert "以下以当时封存的记录为准" in page
    assert "推荐理由" not in page
    assert "1. 账单解读" in page


def test_what_was_not_offered_is_grouped(record: Written) -> None:
    """A line a cause, in the terms of the person; what is for other phases and channels is counted."""
    decided(record)
    held = give_access(record.record, PackLibrary(record.database), "s-7", caller="pia", role="privacy_officer", locale="zh-CN")
    words = held.decisions[0].words
    told = [line for line in words if line.startswith("未推荐")]
    assert 2 <= len(told) <= 7
    assert not any("：否" in line for line in told), "conditions are in our own terms"
    assert any(re.fullmatch("另有[0-9]+项用于其他阶段或渠道，未列入比较。", line) for line in words)
