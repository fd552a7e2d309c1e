"""`wanliu record search | show | explain | replay | proof | figures | pairs`, as a person and a program use them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import Result
from sqlalchemy import delete
from typer.testing import CliRunner

from app.cli import app
from app.record.correlation import TRACE
from app.record.keys import load_keys
from app.record.store.database import Database
from app.record.store.tables import SubjectRow
from tests.pipeline import case_of, shipped
from tests.records import Written, written

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]


@pytest.fixture
def record(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """A record with a handful of examples on it, which the command line finds."""
    monkeypatch.setenv("WANLIU_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("WANLIU_PATTERN_ENGINE", "builtin")
    monkeypatch.setenv("COLUMNS", "140")
    with written(Database(sqlite_url), load_keys(tmp_path / "wanliu.keys", None)) as made:
        made.publish()
        for name in ("02", "19", "23", "26"):
            file = next((ROOT / "examples").glob(f"{name}-*.json"))
            case = case_of(shipped(), {**orjson.loads(file.read_bytes()), "mode": "what_if"}, "agent")
            made.decide(case, agent=f"a-{name}", explained="full")
        made.seal()
        yield made


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["record", *words])
    assert result.exit_code == code, result.output
    return result


def ids() -> dict[str, str]:
    """The decisions by their agent."""
    entries = orjson.loads(run("search", "--json", "--by", "me").stdout)["entries"]
    return {entry["envelope"]["body"]["agent"]: entry["id"] for entry in entries}


def test_search(record: Written) -> None:
    """A search prints a line an entry, newest first, and how to go on."""
    text = run("search", "--limit", "3", "--by", "me").stdout
    found = ids()
    places = [text.index(found[agent]) for agent in ("a-26", "a-23", "a-19")]
    assert places == sorted(places)
    assert found["a-02"] not in text
    cursor = text.rpartition("--cursor ")[2].strip()
    assert found["a-02"] in run("search", "--limit", "3", "--cursor", cursor, "--by", "me").stdout
    assert found["a-02"] in run("search", "--signal", "four_high.tariff", "--offered", "tariff_pack", "--by", "me").stdout
    assert "nothing found" in run("search", "--agent", "nobody", "--by", "me").stdout


def test_search_by_subscriber(record: Written) -> None:
    """A subscriber's decisions are found by the operator's id; somebody unknown is told."""
    name = orjson.loads(next((ROOT / "examples").glob("02-*.json")).read_bytes())["subscriber"]["id"]
    entries = orjson.loads(run("search", "--subscriber", name, "--json", "--by", "me").stdout)["entries"]
    assert [entry["id"] for entry in entries] == [ids()["a-02"]]
    assert "nobody on record has this id" in run("search", "--subscriber", "s-none", "--by", "me", code=1).output


def test_the_trace_of_its_request_is_shown(record: Written) -> None:
    """Whoever follows a call through several systems finds it, in both languages."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    before = TRACE.set(trace)
    file = next((ROOT / "examples").glob("02-*.json"))
    record.decide(case_of(shipped(), {**orjson.loads(file.read_bytes()), "mode": "what_if"}, "agent"), agent="a-traced", explained="full")
    TRACE.reset(before)
    record.seal()
    found = ids()
    assert f"trace {trace}" in run("show", found["a-traced"], "--locale", "en", "--by", "me").stdout
    assert f"链路标识：{trace}" in run("show", found["a-traced"], "--locale", "zh-CN", "--by", "me").stdout
    assert "trace" not in run("show", found["a-02"], "--locale", "en", "--by", "me").stdout


def test_wrong_filter(record: Written) -> None:
    """A wrong value is told by its option, with the nearest right one."""
    assert "--channel: there is no such channel; did you mean `call_centre`?" in run("search", "--channel", "call_center", code=1).output
    assert "--cursor: is not a cursor of this search" in run("search", "--cursor", "x", code=1).output
    assert "an id looks like" in run("show", "19", code=1).output
    assert "no entry has the id" in run("show", "01939c00-0000-7000-8000-000000000000", code=1).output
    assert "--since and --until are dates" in run("figures", "--since", "x", code=1).output


def test_show(record: Written) -> None:
    """Everything about a decision, in both languages; as JSON too."""
    decision = ids()["a-02"]
    english = run("show", decision, "--by", "me").stdout
    for words in (
        "What was known",
        "Considered",
        "tariff_pack",
        "published",
        "the same to the byte",
        "permitted hours",
        "none under way",
        "leaf 1",
    ):
        assert words in english
    said = " ".join(english.split())
    titles = said.partition("permitted throughout")[2].partition(": ")[2]
    assert [titles.count(title) for title in ("A person decides", "Not after a refusal to stay")] == [1, 1]
    assert "当时已知" in run("show", decision, "--locale", "zh-CN", "--by", "me").stdout
    made = orjson.loads(run("show", decision, "--json", "--by", "me").stdout)
    assert made["working"]["faithful"] is True
    assert made["case"]["channel"]


def test_show_of_an_erased_person(record: Written) -> None:
    """Of an erased person the codes and the proof remain."""
    decision = ids()["a-02"]
    with record.database.writing() as connection:
        connection.execute(delete(SubjectRow))
    text = run("show", decision, "--by", "me").stdout
    assert "The person was erased" in text
    assert "tariff_pack" in text
    assert "the person was erased" in run("explain", decision, "--by", "me", code=1).output
    assert "the person was erased" in run("replay", decision, "--by", "me").stdout


def test_explain(record: Written) -> None:
    """In words: the answer, why in this order, the smallest change, protected attributes."""
    text = run("explain", ids()["a-02"], "--by", "me").stdout
    for words in ("Why in this order", "Smallest changes that would have changed the list", "Protected attributes", "No influence"):
        assert words in text
    made = orjson.loads(run("explain", ids()["a-02"], "--json", "--by", "me").stdout)
    assert made["order"][0]["action"] == "tariff_pack"
    assert made["minimal_changes"]


def test_replay(record: Written, tmp_path: Path) -> None:
    """Made again, a decision is the same; a draft says what it would have decided instead."""
    decision = ids()["a-02"]
    assert "same, to the byte" in run("replay", decision, "--by", "me").stdout
    draft = tmp_path / "draft"
    for name in ("rules", "policies"):
        shutil.copytree(ROOT / name, draft / name)
    action = draft / "policies" / "prevention" / "tariff_pack.yaml"
    action.write_text(action.read_text("utf-8").replace("phases: [prevention, retention]", "phases: [retention]"), "utf-8")
    text = run("replay", decision, "--pack", str(draft), "--by", "me").stdout
    assert "another decision" in text
    assert "not_applicable: phase" in text
    made = orjson.loads(run("replay", decision, "--json", "--by", "me").stdout)
    assert (made["replay"]["verdict"], made["instead"]) == ("same_bytes", None)


def test_proof(record: Written) -> None:
    """A proof is printed for people, and for programs."""
    made = orjson.loads(run("proof", ids()["a-02"], "--json").stdout)
    assert made["leaf"] == 1
    assert made["checkpoint"].startswith("wanliu/")
    assert made["leaf_hash"] in run("proof", ids()["a-02"]).stdout


def test_figures_and_pairs(record: Written) -> None:
    """Figures as tables, and as JSON; pairs too."""
    text = run("figures", "--since", "2026-11-01", "--until", "2026-11-30").stdout
    assert "4 decisions" in text
    assert "Funnel" in text
    made = orjson.loads(run("figures", "--since", "2026-11-01", "--until", "2026-11-30", "--json").stdout)
    assert made["decisions"] == 4
    assert "4 decisions compared" in run("pairs", "--since", "2026-11-01", "--until", "2026-11-30", "--by", "me").stdout


def test_who_looked(record: Written) -> None:
    """Whoever looked is on the record, with what they looked at."""
    decision = ids()["a-02"]
    run("show", decision, "--by", "reviewer")
    record.seal()
    entries = orjson.loads(run("search", "--kind", "read", "--caller", "reviewer", "--json", "--by", "me").stdout)["entries"]
    assert [(entry["envelope"]["body"]["what"], entry["envelope"]["body"]["of"]) for entry in entries] == [("decision", decision)]
