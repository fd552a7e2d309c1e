"""The guide for policy authors: its example is a good pack, and each slip it lists is told by the code it names."""

import functools

import pytest

from app.engine.pack import check_files, read_folder
from tests.docs.pages import ROOT, Written, quoted, rows, sections, work

PAGE = ROOT / "docs" / "policies.md"
CARE, RULES = "policies/prevention/streaming_review.yaml", "rules/streaming.yaml"
SIGNAL = "level('four_high.silence_streaming')"
OFFER = ("kind: care\nlever: service\nduty: care", "kind: offer\nlever: service\nduty: offer")
SLIPS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "unknown-name": (RULES, [("and facts.data_a_month < param.streaming_hardly", "and facts.data_a_mont < param.streaming_hardly")]),
    "type": (RULES, [("and facts.data_a_month < param.streaming_hardly", "and usage.data_mb < 5120")]),
    "unknown-word": (CARE, [(f"{SIGNAL} == 'severe'", f"{SIGNAL} == 'watch'")]),
    "unreachable": (RULES, [("- severe: ", "- first: "), ("- high: ", "- severe: "), ("- first: ", "- high: ")]),
    "hidden-level": (RULES, [("_never\n      - ", "_hardly\n      - "), ("_hardly\n    reason", "_never\n    reason")]),
    "schema": (RULES, [('\n      zh: "订了流媒体业务，近三期月均流量只有{facts.data_a_month:MB}。"', "")]),
    "slot": (CARE, [("流量只用了{facts.data_a_month:MB}", "流量只用了{facts.data_a_month:yuan}")]),
    "slot-unknown": (CARE, [("流量只用了{facts.data_a_month:MB}", "每月{services.paid_unused_fee:money}")]),
    "offer-without-tariff": (CARE, [OFFER]),
    "protected": (
        CARE,
        [OFFER, ("confirm:", "tariff: digital_month\nconfirm:"), ("eligible:\n", "eligible:\n  not_a_minor: holder.age_band == 'adult'\n")],
    ),
    "absolute-claim": (CARE, [("今天不推销。", "全网最低价。")]),
    "unused-parameter": (RULES, [("facts:\n", "  - id: param.idle\n    is: 3\n    why: {en: Once needed., zh: 以前用过。}\nfacts:\n")]),
}


@functools.cache
def example() -> dict[str, bytes]:
    """The shipped pack with what the page has the reader write."""
    files = dict(read_folder(ROOT))
    for item in work(PAGE):
        if isinstance(item, Written) and not item.after:
            files[item.file] = item.text.encode()
        elif isinstance(item, Written):
            files[item.file] = files[item.file].replace(f"{item.after}\n".encode(), f"{item.after}\n{item.text}".encode())
    return {name: content for name, content in files.items() if not name.startswith("policies/tests/")}


def test_the_example_is_a_good_pack() -> None:
    """No mistake and no warning: what the page has the reader write is as good as what ships."""
    assert list(map(str, check_files(example()))) == []


def test_the_page_lists_these_slips() -> None:
    """A slip that is listed is tried, by its code."""
    table = rows(sections(PAGE)["Twelve slips, and what you are told"])
    assert [next(iter(quoted(told) & SLIPS.keys())) for _, told, _ in table] == list(SLIPS)


@pytest.mark.parametrize("code", SLIPS)
def test_a_slip_is_told_by_its_code(code: str) -> None:
    """Whoever makes one of the twelve finds the words of the page in front of them."""
    file, changes = SLIPS[code]
    text = example()[file].decode()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    assert code in {problem.code for problem in check_files({**example(), file: text.encode()})}
