"""The command line: what it prints, what it refuses, and with which exit code."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app import __version__
from app.cli import app

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
HIGH_TARIFF = str(EXAMPLES / "02-high-tariff.json")


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WANLIU_PACK", str(ROOT))
    monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path / 'records.db'}")
    monkeypatch.setenv("COLUMNS", "120")


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def test_decide_prints_a_table_a_person_can_read() -> None:
    """Stage, phase with its reason, signals, the action with its words and tariff, until when it holds."""
    result = run("decide", HIGH_TARIFF)
    assert result.exit_code == 0
    for words in ("预防", "高资费", "上月国际及套外通话费48元", "国际及港澳台通话包", "方案编号 EX26CN20030", "2026-11-27"):
        assert words in result.stdout


def test_decide_speaks_english_when_asked() -> None:
    """`--locale` changes every text, those of the program and those of the pack."""
    result = run("decide", HIGH_TARIFF, "--locale", "en")
    assert "Next best actions" in result.stdout
    assert "International calling pack" in result.stdout
    assert "建议动作" not in result.stdout


def test_full_says_what_was_not_offered_and_why() -> None:
    """`--full` lists the others with their cause and clause, and what would change it."""
    result = run("decide", EXAMPLES / "26-limit-no-consent.json", "--full", "--locale", "en")
    assert "contact.consent" in result.stdout
    assert "No marketing consent on record" in result.stdout
    assert "Not offered" not in run("decide", HIGH_TARIFF, "--locale", "en").stdout


def test_json_is_the_answer_of_the_api() -> None:
    """`--json` gives one object; in what-if it has no id and is on no record, and says the time it was asked about."""
    answer = json.loads(run("decide", HIGH_TARIFF, "--json").stdout)
    assert answer["decision_id"] is None
    assert answer["record"] == {"state": "none"}
    assert answer["decided_at"] == "2026-11-20T10:00:00+08:00"
    assert [action["action"] for action in answer["actions"]] == ["tariff_pack"]


def test_several_files_give_a_line_each_and_one_that_fails_does_not_stop_the_rest(tmp_path: Path) -> None:
    """Every file is decided; the exit code says that one of them was not."""
    result = run("decide", HIGH_TARIFF, tmp_path / "none.json", EXAMPLES / "12-vip-gold-manager.json", "--json")
    assert result.exit_code == 1
    assert len([json.loads(line) for line in result.stdout.splitlines()]) == 2
    assert f"{tmp_path / 'none.json'}: cannot be read: no such file or directory" in result.stderr


def test_standard_input_is_a_file() -> None:
    """`-` reads a request from standard input."""
    result = run("decide", "-", "--json", stdin=Path(HIGH_TARIFF).read_bytes())
    assert json.loads(result.stdout)["phase"]["id"] == "prevention"


def test_options_override_the_request() -> None:
    """Channel, detail and role are the caller's to choose: an agent sees no scores."""
    answer = json.loads(run("decide", HIGH_TARIFF, "--channel", "app", "--role", "agent", "--explain", "none", "--json").stdout)
    assert answer["signals"] == []
    assert answer["actions"][0]["text"].startswith("您上月套餐外通话费")
    assert answer["actions"][0]["score"] is None


def test_record_stores_a_live_decision(tmp_path: Path) -> None:
    """With `--record` the decision has an id and is in the store; its time is the clock's."""
    request = json.loads(Path(HIGH_TARIFF).read_bytes())
    del request["as_of"]
    answer = json.loads(run("decide", "-", "--record", "--json", stdin=json.dumps(request).encode()).stdout)
    assert answer["record"] == {"state": "durable"}
    assert answer["decision_id"]
    assert (tmp_path / "records.db").exists()


def test_record_refuses_a_time_that_is_not_now() -> None:
    """A frozen example is not a live decision; the message says what to do."""
    result = run("decide", HIGH_TARIFF, "--record")
    assert result.exit_code == 1
    assert "as_of: is more than five minutes from now; leave it out, or decide without --record" in result.stderr


def test_record_that_fails_gives_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What could not be stored is not shown."""
    monkeypatch.setenv("WANLIU_DATABASE_URL", f"sqlite:///{tmp_path / 'no' / 'records.db'}")
    result = run("decide", "-", "--record", stdin=b'{"channel": "app", "subscriber": {"id": "s-1"}}')
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "could not be recorded" in result.stderr


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body: is empty"),
        (b"{", "body: is not JSON"),
        (b"\xff\xfe{\x00}\x00", "body: is not UTF-8"),
        ('{"channel": "客户"}'.encode("gb18030"), "body: is not UTF-8"),
        (b'{"channel": "app", "channel": "web", "subscriber": {"id": "s"}}', "channel: stands twice"),
        (b'{"channel": "app", "subscriber": {"id": "s", "churn": {"score": NaN}}}', "subscriber.churn.score"),
        (b'{"channel": "app", "subscriber": {"id": "s", "churn": {"scor": 1}}}', "subscriber.churn.scor"),
        (b'{"channel": "app", "subscriber": {"id": "s", "plan": {"monthly_fee": "59"}}}', "subscriber.plan.monthly_fee"),
        (b'{"channel": "app", "subscriber": {"id": "s", "plan": {"name": "\\ud800"}}}', "subscriber.plan.name"),
        (b'{"channel": "app", "subscriber": {"id": "s", "usage": {"data_mb": [1], "voice_out_min": [1, 2]}}}', "subscriber.usage"),
        (b" " * 1_100_000, "is larger than 1,048,576 bytes"),
        (b"[" * 100_000, "body: is nested too deeply"),
    ],
)
def test_bad_input_is_a_message_that_names_the_field(body: bytes, message: str) -> None:
    """Never a traceback: the field, what is wrong with it, exit code 1."""
    result = run("decide", "-", stdin=body)
    assert result.exit_code == 1
    assert f"standard input: {message}" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give FILE, or --table"),
        (("x.json", "--table", "t.csv"), "not both"),
        (("x.json", "--out", "o"), "go with --table"),
        (("--table", "t.csv", "--out", "o"), "needs --mapping"),
        (("--table", "t.ndjson", "--mapping", "m", "--out", "o"), "needs no --mapping"),
        (("--table", "t.csv", "--mapping", "m"), "needs --out"),
        (("--table", "t.csv", "--mapping", "m", "--out", "t.csv"), "different files"),
        (("--table", "t.csv", "--mapping", "m", "--out", "o", "--record"), "--record stores single decisions"),
        (("-", "-"), "can be read once"),
        (("x.json", "--channel", "ap"), "did you mean `app`?"),
        (("x.json", "--role", "king"), "king"),
        (("--table", "t.csv", "--url", "http://127.0.0.1:1"), "--table does not go with --url"),
        (("x.json", "--refused", "a", "--url", "http://127.0.0.1:1"), "--refused does not go with --url"),
        (("x.json", "--role", "agent", "--url", "http://127.0.0.1:1"), "--role does not go with --url: the key says which role asks"),
    ],
)
def test_options_that_do_not_go_together_are_usage_errors(arguments: tuple[str, ...], message: str) -> None:
    """Exit code 2, before anything is read."""
    result = run("decide", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("decide", "x", "--locale", "zh"), "'--locale': `zh` is not one of zh-CN, en; did you mean `zh-CN`?"),
        (("decide", "x", "--explain", "ful"), "'--explain': `ful` is not one of none, summary, full; did you mean `full`?"),
        (("pack", "check", "--format", "jsn"), "'--format': `jsn` is not one of text, json, sarif; did you mean `json`?"),
        (("keys", "rotate", "signin"), "'signing|wrapping': `signin` is not one of signing, wrapping; did you mean `signing`?"),
        (("pack", "show", "--locale", "x\x1b[2Jy"), "'--locale': `x\ufffd[2Jy` is not one of zh-CN, en"),
        (("record", "search", "--limit", "0"), "'--limit': expected at least 1"),
        (("record", "search", "--limit", "ten"), "'--limit': expected a whole number"),
        (("pack", "test", "--fail-under", "most"), "'--fail-under': expected a number"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_told_with_the_nearest(arguments: tuple[str, ...], message: str) -> None:
    """As the API tells it: the option, what is expected, the nearest right value; and nothing of the library that reads options."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert f"Invalid value for {message}" in " ".join(result.stderr.replace("│", " ").split())
    assert "Value error" not in result.stderr


def decide_customers(tmp_path: Path, *more: str) -> Result:
    return run(
        "decide", "--table", EXAMPLES / "customers.csv", "--mapping", EXAMPLES / "customers.map.yaml",
        "--out", tmp_path / "decisions.ndjson", "--rejects", tmp_path / "rejects.ndjson", *more,
    )  # fmt: skip


def test_a_table_is_decided_row_by_row(tmp_path: Path) -> None:
    """Decisions and refusals go to their files, a line each; the summary adds up."""
    result = decide_customers(tmp_path, "--json")
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    decisions = [json.loads(line) for line in (tmp_path / "decisions.ndjson").read_text().splitlines()]
    refused = [json.loads(line) for line in (tmp_path / "rejects.ndjson").read_text().splitlines()]
    assert (summary["read"], summary["decided"], summary["refused"]) == (12, len(decisions), len(refused)) == (12, 7, 5)
    assert [item["row"] for item in refused] == [4, 7, 8, 11, 12]
    assert refused[0]["problems"][0]["column"] == "月费(元)"
    assert [item["subscriber"] for item in decisions] == ["K-0001", "K-0002", "K-0003", "K-0005", "K-0006", "K-0009", "K-0010"]


def test_a_table_prints_its_summary(tmp_path: Path) -> None:
    """Who is in which stage and phase, which signals and actions, what was refused and why."""
    text = decide_customers(tmp_path).stdout
    for words in (
        "读取行数 12",
        "已决策 7",
        "已拒绝 5",
        "预防",
        "高流量",
        "升到合适套餐",
        "月费(元)",
        "第8行（文件第9行）：该用户已出现在第2行",
    ):
        assert words in text


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    """A rerun is identical."""
    written = []
    for _ in range(2):
        decide_customers(tmp_path)
        written.append((tmp_path / "decisions.ndjson").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"", "is empty"),
        (b"\xff\xfea\x00", "is UTF-16"),
        (b"a,b\n1,2\n", "the file has no column"),
        (None, "no such file"),
    ],
)
def test_a_table_that_cannot_be_used(tmp_path: Path, table: bytes | None, message: str) -> None:
    """A clear error, exit code 1, and no file is begun."""
    path = tmp_path / "t.csv"
    if table is not None:
        path.write_bytes(table)
    result = run("decide", "--table", path, "--mapping", EXAMPLES / "customers.map.yaml", "--out", tmp_path / "o.ndjson")
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "o.ndjson").exists()


def test_a_table_is_not_written_over(tmp_path: Path) -> None:
    """The same file under another name is the same file."""
    table, other = tmp_path / "t.csv", tmp_path / "u.csv"
    table.write_bytes((EXAMPLES / "customers.csv").read_bytes())
    other.hardlink_to(table)
    result = run("decide", "--table", table, "--mapping", EXAMPLES / "customers.map.yaml", "--out", other)
    assert result.exit_code == 2
    assert table.read_bytes() == (EXAMPLES / "customers.csv").read_bytes()


def test_decisions_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is not there is told as such."""
    arguments = ("--table", EXAMPLES / "customers.csv", "--mapping", EXAMPLES / "customers.map.yaml")
    result = run("decide", *arguments, "--out", tmp_path / "no" / "o.ndjson")
    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_pack_show_lists_what_the_pack_holds() -> None:
    """Name, version, digest, counts, actions with their phases, signals, tariffs; in the language asked for."""
    text = run("pack", "show").stdout
    for words in ("telco-reference", "sha256:", "tariff_pack", "four_high.tariff", "severe, high", "EX26CN00059"):
        assert words in text
    assert "国际及港澳台通话包" in run("pack", "show", "--locale", "zh-CN").stdout


def test_pack_check_passes_a_good_pack() -> None:
    """No mistakes, exit code 0."""
    result = run("pack", "check")
    assert result.exit_code == 0
    assert "no mistakes" in result.stdout


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    (tmp_path / "pack" / "rules").mkdir(parents=True)
    (tmp_path / "pack" / "rules" / "a.yaml").write_text("signals: 3\nfact: []\n")
    return tmp_path / "pack"


def test_pack_check_names_every_mistake_with_its_place(broken: Path) -> None:
    """File, line, column, what is wrong, the nearest right thing; and how many there are; exit code 1."""
    result = run("pack", "check", broken)
    assert result.exit_code == 1
    assert "rules/a.yaml:1:10: error[schema]: `signals`" in result.stderr
    assert "did you mean `facts`?" in result.stderr
    assert "2 errors" in result.stdout
    report = json.loads(run("pack", "check", broken, "--format", "json").stdout)
    assert (report["errors"], report["problems"][0]["line"]) == (2, 1)


def test_a_broken_pack_decides_nothing(broken: Path) -> None:
    """The mistakes are told instead, exit code 1."""
    result = run("decide", HIGH_TARIFF, "--pack", broken)
    assert result.exit_code == 1
    assert "rules/a.yaml:1:10" in result.stderr
    assert "cannot be used: 2 errors" in result.stderr


def test_a_folder_without_a_pack(tmp_path: Path) -> None:
    """Somebody who runs it in the wrong folder is told what a pack is."""
    for folder, message in ((tmp_path, "no pack here"), (tmp_path / "no", "does not exist"), (Path(HIGH_TARIFF), "is a file")):
        result = run("pack", "check", folder)
        assert result.exit_code == 1
        assert message in result.stderr


def test_a_setting_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt variable was meant to do something: it is named with its nearest."""
    monkeypatch.setenv("WANLIU_PAK", "x")
    result = run("decide", HIGH_TARIFF)
    assert result.exit_code == 1
    assert "did you mean `WANLIU_PACK`?" in result.stderr


def test_serve_refuses_an_address_that_others_can_reach() -> None:
    """Without keys it listens on loopback only, and says why."""
    result = run("serve", "--host", "0.0.0.0")  # noqa: S104 - what is refused
    assert result.exit_code == 1
    assert "there are no callers" in result.stderr


def test_version_is_the_engines() -> None:
    """One line, the version that decisions name."""
    assert run("version").stdout == f"{__version__}\n"


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from app.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=ROOT)


def test_the_program_runs_and_has_no_colour_in_a_pipe() -> None:
    """As people run it: words on standard output, no escape sequences, exit code 0."""
    done = program("decide", HIGH_TARIFF)
    assert (done.returncode, done.stderr) == (0, "")
    assert "国际及港澳台通话包" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("redirected", "code", "says"),
    [
        ("<&-", 1, b"standard input: body: is empty"),
        (f"{HIGH_TARIFF} >&-", 0, b""),
        (f"{HIGH_TARIFF} >/dev/full", 1, b"cannot write the output: no space left on device\n"),
        (f"{HIGH_TARIFF} --json >/dev/full", 1, b"cannot write the output: no space left on device\n"),
    ],
)
def test_streams_that_are_closed_or_full_are_no_traceback(redirected: str, code: int, says: bytes) -> None:
    """A closed stream is an empty one, and output that cannot be written is a message."""
    command = f"exec {sys.executable} -c 'from app.cli import main; main()' decide {'-' if redirected == '<&-' else ''} {redirected}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr.startswith(says), b"Traceback" in done.stderr) == (code, True, False)


def test_an_encoding_that_lacks_characters_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that cannot show Chinese shows the rest."""
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    command = [sys.executable, "-c", "from app.cli import main; main()", "decide", HIGH_TARIFF]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"s-1002" in done.stdout


def test_the_program_answers_at_once() -> None:
    """`wanliu version` loads neither the engine nor the service."""
    heavy = ["pydantic", "fastapi", "polars", "sqlmodel", "app.engine"]
    code = f"import sys, app.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_lines_fit_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chinese characters count two columns, so that nothing runs over the edge."""
    from rich.cells import cell_len

    for width in ("80", "100", "140"):
        monkeypatch.setenv("COLUMNS", width)
        for example in ("03-high-traffic.json", "22-rescue-appeal.json"):
            lines = run("decide", EXAMPLES / example, "--full").stdout.splitlines()
            assert max(cell_len(line) for line in lines) <= int(width)


def test_pack_check_speaks_to_forges(broken: Path) -> None:
    """SARIF 2.1.0: a rule for each code, a result for each mistake with its level and place."""
    result = run("pack", "check", broken, "--format", "sarif")
    assert result.exit_code == 1
    (found,) = json.loads(result.stdout)["runs"]
    assert [rule["id"] for rule in found["tool"]["driver"]["rules"]] == ["schema"]
    first = found["results"][0]
    assert (first["ruleId"], first["level"]) == ("schema", "error")
    place = first["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == ("rules/a.yaml", {"startLine": 1, "startColumn": 10})


def test_pack_explain_says_what_a_name_means() -> None:
    """Levels, thresholds with their reason, what it needs, who uses it; in the language asked for, or as JSON."""
    text = run("pack", "explain", "four_high.tariff").stdout
    for words in ("High tariff", "param.toll_floor", "¥15", "billing.toll_fee", "tariff_pack", "applicable toll"):
        assert words in text
    assert "国际及套外通话费" in run("pack", "explain", "four_high.tariff", "--locale", "zh-CN").stdout
    (meaning,) = json.loads(run("pack", "explain", "four_high.tariff", "--json").stdout)
    assert meaning["kind"] == "signal"
    slip = run("pack", "explain", "four_high.tarif")
    assert slip.exit_code == 1
    assert "did you mean `four_high.tariff`?" in slip.stderr


@pytest.fixture
def packs(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("before", "after"):
        for folder in ("rules", "policies"):
            shutil.copytree(ROOT / folder, tmp_path / name / folder)
    (tmp_path / "after" / "policies" / "prevention" / "plan_fit_up.yaml").unlink()
    for path in (tmp_path / "after" / "policies").rglob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace("plan_fit_up", "plan_fit_down"), "utf-8")
    parameters = tmp_path / "after" / "rules" / "parameters.yaml"
    text = parameters.read_text("utf-8")
    parameters.write_text(text.replace("- id: param.saving\n    is: 1500", "- id: param.saving\n    is: 900000"), "utf-8")
    return tmp_path / "before", tmp_path / "after"


def test_pack_diff_says_what_changed_and_for_whom(packs: tuple[Path, Path]) -> None:
    """Changes in words; over a file of subscribers another phase, another first action, nothing any more, and the concession."""
    customers = ("--table", EXAMPLES / "customers.csv", "--mapping", EXAMPLES / "customers.map.yaml")
    result = run("pack", "diff", *packs, *customers)
    assert result.exit_code == 0
    for words in ("- action plan_fit_up", "¥15  →  ¥9,000", "used by price.cheaper_public", "subscribers compared", "mean concession"):
        assert words in result.stdout
    report = json.loads(run("pack", "diff", *packs, *customers, "--json").stdout)["subscribers"]
    assert report["compared"] + report["refused"] == report["read"] == 12
    assert report["another_list"] == report["compared"] - report["unchanged"] > 0
    assert run("pack", "diff", packs[0], packs[0]).stdout == "The two packs say the same.\n"


def test_pack_diff_refuses_options_that_do_not_go_together(packs: tuple[Path, Path]) -> None:
    """A mapping without a table was meant to do something."""
    assert run("pack", "diff", *packs, "--mapping", EXAMPLES / "customers.map.yaml").exit_code == 2
    assert run("pack", "diff", *packs, "--table", EXAMPLES / "customers.csv").exit_code == 2


def test_pack_schema_is_for_editors() -> None:
    """The schema of the YAML, as JSON."""
    assert json.loads(run("pack", "schema").stdout)["then"] == {"$ref": "#/definitions/ActionDocument"}
