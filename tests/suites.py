"""What tests of suites share: the small pack on a bench, subjects that fit it, and suites from a few lines."""

from collections.abc import Mapping
from functools import cache
from textwrap import indent

from app.workbench.suites import Bench, Suites, load
from app.workbench.suites.judging import Verdict, judge
from tests.packs import SMALL

SUBJECTS = """\
subjects:
  caller:
    subscriber:
      account: {status: active, tenure_months: 24}
      plan: {id: plan_29, monthly_fee: 2900}
      billing: {total: [9000, 9000, 9000], toll_fee: [0, 0, 4000]}
      usage: {voice_out_min: [100, 100, 100], data_mb: [1000, 1000, 1000]}
      value: {annual: 120000}
      consent: {marketing: yes, personalised: yes}
      events: []
      contacts: []
  quiet:
    like: caller
    with: {billing.toll_fee: [0, 0, 0]}
"""

HEAD = """\
suite: {en: A suite, zh: 测试集}
now: "2026-11-20T10:00:00+08:00"
request: {channel: app}
tests:
"""


@cache
def _bench(files: tuple[tuple[str, bytes], ...]) -> Bench:
    return Bench(dict(files))


def bench_of(files: Mapping[str, bytes] | None = None) -> Bench:
    """A pack on its bench, the small one unless another is given; built once for each."""
    return _bench(tuple(sorted((files or SMALL).items())))


def suite(tests: str, head: str = HEAD) -> dict[str, bytes]:
    """Files of one suite beside the subjects; `tests` are the entries of the list."""
    return {"policies/tests/a.yaml": (head + indent(tests, "  ")).encode(), "policies/tests/subjects.yaml": SUBJECTS.encode()}


def loaded(tests: str, files: Mapping[str, bytes] | None = None, head: str = HEAD) -> Suites:
    """The tests, held against a pack: the small one unless another is given."""
    return load(suite(tests, head), bench_of(files))


def problems(tests: str, head: str = HEAD) -> list[str]:
    """What is wrong with a suite, as it is printed."""
    return [str(problem) for problem in loaded(tests, head=head).problems]


def verdicts(tests: str, files: Mapping[str, bytes] | None = None) -> list[Verdict]:
    """What tests come to on a pack."""
    bench = bench_of(files)
    found = load(suite(tests), bench)
    assert not found.problems, found.problems
    return [judge(test, bench, "en") for test in found.tests]


def failures(tests: str, files: Mapping[str, bytes] | None = None) -> list[str]:
    """Each expectation that does not hold: what it is about, what was expected, what came."""
    return [
        f"{found.told.about}: {found.told.wanted}, {found.told.got}" for verdict in verdicts(tests, files) for found in verdict.failures
    ]
