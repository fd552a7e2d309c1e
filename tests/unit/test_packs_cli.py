"""`wanliu pack publish` and what follows it: what is printed, what is refused, and with which exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from app.cli import app
from app.workbench.trial import Exhibit, Trial, try_out
from tests.packs_in_force import FAILING, content, version, write

pytestmark = pytest.mark.unit

ONE, TWO = content("1.0.0").digest, content("2.0.0").digest


@pytest.fixture(autouse=True)
def _in_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def try_here(exhibit: Exhibit, cache: Path | None = None) -> Trial:
        return try_out(exhibit, cache)

    monkeypatch.setattr("app.record.packs.publishing.try_apart", try_here)
    monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path / 'records.db'}")
    monkeypatch.setenv("WANLIU_PACK", str(write(tmp_path / "one", version("1.0.0"))))
    monkeypatch.setenv("COLUMNS", "160")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["pack", *map(str, arguments)])


def short(digest: str) -> str:
    return digest[7:19]


def active(tmp_path: Path) -> None:
    """One and then two are active."""
    folder = write(tmp_path / "two", version("2.0.0"))
    for arguments in (
        ("publish", "--author", "ann"),
        ("publish", folder, "--author", "ann"),
        ("approve", ONE, "--by", "bob"),
        ("approve", TWO, "--by", "bob"),
        ("activate", ONE, "--by", "bob"),
        ("activate", TWO, "--by", "bob"),
    ):
        result = run(*arguments)
        assert result.exit_code == 0, result.output


def states() -> dict[str, str]:
    packs = json.loads(run("list", "--json").stdout)["packs"]
    return {pack["version"]: pack["state"] for pack in packs}


def test_a_pack_is_published_approved_and_activated() -> None:
    """Each step says what became of the pack, and what comes next."""
    published = run("publish", "--author", "ann")
    assert published.exit_code == 0
    assert (
        published.stdout == f"{ONE}\nsmall 1.0.0 published; tests: 1 passed, 0 failed\nnext: wanliu pack approve {short(ONE)} --by NAME\n"
    )
    assert "was published before" in run("publish", "--author", "ann").stdout
    approved = run("approve", short(ONE)[:4], "--by", "bob", "--note", "read it")
    assert (approved.exit_code, approved.stdout) == (0, f"{short(ONE)} small 1.0.0 approved\n")
    activated = run("activate", f"sha256:{short(ONE)}", "--by", "bob")
    assert activated.stdout.startswith(f"{short(ONE)} small 1.0.0 active from 2")
    assert "the service follows its folder" in activated.stderr


def test_the_author_does_not_approve() -> None:
    """Exit code 1, and who has to."""
    run("publish", "--author", "ann")
    result = run("approve", short(ONE), "--by", "Ann")
    assert (result.exit_code, result.stderr) == (1, f"`Ann` published {short(ONE)}; somebody else has to approve it\n")


def test_mistakes_refuse_a_pack_and_failing_tests_are_told(tmp_path: Path) -> None:
    """The mistakes of `wanliu pack check`, each with its place; failing tests by name."""
    broken = write(tmp_path / "broken", {**version("3.0.0"), "rules/x.yaml": "signals: 7\n"})
    refused = run("publish", broken, "--author", "ann")
    assert refused.exit_code == 1
    assert "rules/x.yaml:1:10: error[schema]" in refused.stderr
    assert f"the pack in `{broken}` cannot be used: 1 error" in refused.stderr
    failing = run("publish", write(tmp_path / "failing", version("3.1.0", FAILING)), "--author", "ann")
    assert failing.exit_code == 0
    assert "policies/tests/a.yaml:5:5: the test `A caller` fails" in failing.stderr
    assert "it cannot take over while its tests fail, so nobody can approve it" in failing.stdout
    approved = run("approve", failing.stdout[:71], "--by", "bob")
    assert (approved.exit_code, approved.stderr.splitlines()[-1]) == (1, "mend it, give it another `version:`, and publish that")
    assert "cannot take over: one of its own tests failed when it was published" in approved.stderr
    assert states() == {"3.1.0": "published"}


def test_a_pack_is_scheduled_and_withdrawn(tmp_path: Path) -> None:
    """`schedule` is `activate --at`; both want a time with its offset that lies ahead."""
    active(tmp_path)
    run("rollback", "--by", "bob")
    for command in ("schedule", "activate"):
        result = run(command, TWO, "--by", "bob", "--at", "2027-03-01T00:00:00+08:00")
        assert result.stdout == f"{short(TWO)} small 2.0.0 scheduled from 2027-02-28 16:00:00Z\n"
        assert states()["2.0.0"] == "scheduled"
        assert "no longer scheduled" in run("withdraw", TWO, "--by", "bob").stdout
        assert states()["2.0.0"] == "retired"
    for wrong, told in (("2027-03-01", "no time with its offset"), ("soon", "no time"), ("2020-01-01T00:00:00Z", "lies in the past")):
        result = run("schedule", TWO, "--by", "bob", "--at", wrong)
        assert result.exit_code == 1
        assert result.stderr.startswith("--at: ")
        assert told in result.stderr


def test_a_rollback_names_the_pack(tmp_path: Path) -> None:
    """And ends where nothing was active before."""
    active(tmp_path)
    result = run("rollback", "--by", "bob", "--note", "calls fell")
    assert result.stdout.startswith(f"{short(ONE)} small 1.0.0 active again from ")
    assert states() == {"1.0.0": "active", "2.0.0": "retired"}
    assert "no other pack was active before" in run("rollback", "--by", "bob").stderr


def test_a_pack_is_rejected_with_a_reason(tmp_path: Path) -> None:
    """Not the one that decides."""
    active(tmp_path)
    assert run("reject", TWO, "--by", "bob", "--note", "no").exit_code == 1
    assert run("reject", ONE, "--by", "bob", "--note", "out of date").exit_code == 0
    assert run("reject", ONE, "--by", "bob").exit_code == 2
    assert states()["1.0.0"] == "rejected"


def test_the_list_says_who_and_when(tmp_path: Path) -> None:
    """A line a pack; `--steps` adds what was done, with notes; an empty store says so."""
    assert run("list").stdout == "no pack was published yet\n"
    active(tmp_path)
    run("rollback", "--by", "bob", "--note", "calls fell")
    listed = run("list").stdout
    assert [line.split()[:6] for line in listed.splitlines()[1:]] == [
        [short(TWO), "small", "2.0.0", "retired", "ann", "bob"],
        [short(ONE), "small", "1.0.0", "active", "ann", "bob"],
    ]
    assert "calls fell" not in listed
    assert "calls fell" in run("list", "--steps").stdout
    steps = json.loads(run("list", "--json").stdout)["packs"][0]["steps"]
    assert [step["step"] for step in steps] == ["published", "approved", "activated"]


@pytest.mark.parametrize("given", ["zzz", "", "ffff"])
def test_an_unknown_digest_is_told_with_the_nearest(given: str) -> None:
    """Exit code 1."""
    assert "no pack was published yet" in run("approve", given, "--by", "bob").stderr
    run("publish", "--author", "ann")
    result = run("approve", given, "--by", "bob")
    assert result.exit_code == 1
    assert f"the newest is {short(ONE)}" in result.stderr


def test_a_name_is_a_person_s() -> None:
    """What the service calls itself is none."""
    for arguments in (("publish", "--author", "seed"), ("publish", "--author", " ")):
        result = run(*arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith("--author: ")


def test_a_store_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a traceback."""
    (tmp_path / "text.db").write_text("this is no database, whatever it may be called, and long enough", "utf-8")
    monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path / 'text.db'}")
    result = run("list")
    assert result.exit_code == 1
    assert "the store cannot be opened" in result.stderr


def test_a_recorded_decision_leaves_its_pack_on_record(tmp_path: Path) -> None:
    """Published by `cli`, once; it is not in force by that."""
    request = {
        "channel": "app",
        "subscriber": {"id": "s-1", "account": {"status": "active", "tenure_months": 24}, "events": [], "contacts": []},
    }
    (tmp_path / "request.json").write_text(json.dumps(request), "utf-8")
    for _ in range(2):
        result = CliRunner().invoke(app, ["decide", str(tmp_path / "request.json"), "--record", "--json"])
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["pack"]["digest"] == ONE
    (pack,) = json.loads(run("list", "--json").stdout)["packs"]
    assert (pack["digest"], pack["state"], [step["by"] for step in pack["steps"]]) == (ONE, "published", ["cli"])


def test_steps_in_chinese(tmp_path: Path) -> None:
    """With `--locale zh-CN` every sentence, state and step is Chinese; what people wrote, names and commands are left as they are."""
    told = [
        run("list", "--locale", "zh-CN").stdout,
        run("publish", "--author", "王小明", "--locale", "zh-CN").stdout,
        run("publish", "--author", "王小明", "--locale", "zh-CN").stdout,
        run("approve", ONE, "--by", "李合规", "--note", "已核对", "--locale", "zh-CN").stdout,
        run("activate", ONE, "--by", "李合规", "--locale", "zh-CN").stdout,
    ]
    assert told[0] == "尚未发布任何规则包\n"
    assert told[1] == f"{ONE}\nsmall 1.0.0：已发布；测试通过1项，未通过0项\n下一步：wanliu pack approve {short(ONE)} --by 姓名\n"
    assert told[2] == f"{ONE}\nsmall 1.0.0：此前已发布；测试通过1项，未通过0项\n"
    assert told[3] == f"{short(ONE)} small 1.0.0：审批通过\n"
    assert re.fullmatch(rf"{short(ONE)} small 1\.0\.0：已启用，自\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ起生效\n", told[4])
    listed = run("list", "--steps", "--locale", "zh-CN").stdout
    for word in ("规则包", "生效中", "发布人", "操作记录", "审批通过", "启用", "已核对", "测试通过1项，未通过0项"):
        assert word in listed
    for word in ("active", "published", "approved", "state", "tests:"):
        assert word not in listed


def test_tables_align(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 100 columns digests, states and times stay whole, names give way; a column begins where its heading does, Chinese or not."""
    monkeypatch.setenv("COLUMNS", "100")
    folder = write(tmp_path / "two", version("2026.11.22-rc.2"))
    two = content("2026.11.22-rc.2").digest
    run("publish", "--author", "王小明")
    run("publish", folder, "--author", "ann.lee@marketing.department.example")
    run("approve", two, "--by", "李合规")
    run("activate", two, "--by", "李合规")
    for locale, heading, state in (("zh-CN", "状态", "生效中"), ("en", "state", "active")):
        head, *lines = [line for line in run("list", "--locale", locale).stdout.splitlines() if line.strip()]
        row = next(line for line in lines if short(two) in line)
        assert all(cell_len(line.rstrip()) <= 100 for line in (head, *lines))
        assert cell_len(head[: head.index(heading)]) == cell_len(row[: row.index(state)])
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", row)
