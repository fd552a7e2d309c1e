"""Packs that mean harm: each is refused for what it is, nothing of it is executed, and nothing grows without bound."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.engine.pack import MOST_FILES, PackError, build_pack, check_files
from app.engine.pack.reading import MOST_PROBLEMS
from tests.packs import OFFER, SMALL, changed, codes, small

pytestmark = pytest.mark.unit

ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)},' * 9}]\n" for n in range(20))


def fact(expression: str) -> Mapping[str, bytes]:
    return small(x=f"facts:\n  - id: facts.x\n    title: {{en: X, zh: X}}\n    is: {expression}\n")


def many(key: str, row: str, count: int) -> Mapping[str, bytes]:
    return small(x=f"{key}:\n" + "".join(row.format(n=n, m=(n + 1) % count) for n in range(count)))


ROW = "  - {{id: facts.a{n}, title: {{en: A, zh: A}}, is: {is_}}}\n"
HOSTILE: dict[str, tuple[Mapping[str, bytes], str]] = {
    "alias bomb": (small(x=ALIASES), "yaml-subset"),
    "nested brackets": (small(x="a: " + "[" * 100_000), "file-too-deep"),
    "nested braces": (small(x="a: " + "{a: " * 100_000), "file-too-deep"),
    "huge file": (small(x="a: x\n" + "#" * 5_000_000), "file-too-large"),
    "many values": (small(x="a: [" + "x," * 60_000 + "]"), "file-too-large"),
    "many large files": ({f"rules/{n}.yaml": b"holidays: [" + b"2026-01-01," * 35_000 + b"]" for n in range(20)}, "pack-too-large"),
    "thousands of files": ({f"rules/{n}.yaml": b"holidays: []" for n in range(MOST_FILES + 1)}, "pack-too-large"),
    "long expression": (fact("1" + "+1" * 50_000), "schema"),
    "expression too long": (fact("1" + "+1" * 1_500), "expression-too-long"),
    "deep expression": (fact("not " * 400 + "custom.ok"), "expression-too-deep"),
    "brackets in an expression": (fact("(" * 900 + "1" + ")" * 900), "syntax"),
    "import": (fact("__import__('os').system('true')"), "unknown-function"),
    "class of a literal": (fact("().__class__"), "expression"),
    "huge number": (fact("9" * 1_500), "number-too-large"),
    "huge power": (fact("9 ** 9 ** 9 ** 9"), "expression"),
    "tag": (small(x="a: !!python/object/apply:os.system [true]\n"), "yaml-subset"),
    "circle of facts": (many("facts", ROW.replace("{is_}", "facts.a{m} + 1"), 3_000), "cycle"),
    "circle of signals": (
        many(
            "signals",
            "  - {{id: s.a{n}, title: {{en: A, zh: A}}, levels: [{{high: signal('s.a{m}')}}], reason: {{en: A, zh: A}}}}\n",
            2_000,
        ),
        "cycle",
    ),
    "circle of patterns": (
        many(
            "patterns",
            "  - id: p.a{n}\n    title: {{en: A, zh: A}}\n    when: signal('p.a{m}')\n    facts: {{fault: events.fault}}\n"
            "    where: fault.days <= 7\n    level: high\n    reason: {{en: A, zh: A}}\n",
            50,
        ),
        "cycle",
    ),
    "thousands of mistakes": (many("facts", ROW.replace("{is_}", "bilin.totl{n}"), 4_000), "unknown-name"),
    "thousands of wrong keys": (small(x="facts: [" + "x," * 30_000 + "]"), "schema"),
    "a table of thousands": (
        small(x="facts:\n  - id: facts.x\n    title: {en: X, zh: X}\n    first:\n" + "".join(f"      - is: {n}\n" for n in range(5_000))),
        "schema",
    ),
    "not UTF-8": ({**SMALL, "rules/x.yaml": b"\xff\xfe\x00"}, "encoding"),
    "a list": (small(x="- a\n"), "schema"),
    "a word": (small(x="a\n"), "schema"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused(name: str) -> None:
    """Every one is refused, for the reason it should be, with a report of bounded length."""
    files, code = HOSTILE[name]
    with pytest.raises(PackError) as raised:
        build_pack(files)
    assert code in codes(raised.value.problems)
    assert len(raised.value.problems) <= MOST_PROBLEMS + 1
    assert len(str(raised.value)) < 40_000


def test_nothing_is_executed(tmp_path: Path) -> None:
    """A pack that tries to reach out of the language touches nothing."""
    target = tmp_path / "touched"
    for expression in (
        f"__import__('pathlib').Path('{target}').touch()",
        f"open('{target}', 'w')",
        f"[open('{target}', 'w') for x in services.held]",
        f"(lambda: open('{target}', 'w'))()",
    ):
        assert check_files(fact(expression))
    title = f"title: {{en: \"'); open('{target}', 'w'); ('\", zh: 感谢}}"
    assert build_pack(changed(("title: {en: Thank you, zh: 感谢}", title))).by_id["thank_you"].title.say("en").startswith("');")
    assert not target.exists()


def test_names_do_not_reach_the_code() -> None:
    """Words of a pack stand in compiled code as quoted texts only."""
    word = "'); raise SystemExit; ('"
    pack = build_pack(fact(f'plan.id == "{word}"'))
    assert pack.name == "small"


def test_large_is_not_hostile() -> None:
    """A pack of a few hundred actions and facts is accepted."""
    actions = {f"policies/x/{n}.yaml": OFFER.replace("to_plan_59", f"offer_{n}").encode() for n in range(150)}
    pack = build_pack({**many("facts", ROW.replace("{is_}", "last(billing.total) + {n}"), 400), **actions})
    assert (len(pack.actions), len(pack.derived)) == (153, 402)
