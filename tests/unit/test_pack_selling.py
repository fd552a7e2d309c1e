"""What may be sold how: confirmation, channels, terms, and whether it is on sale at all."""

import datetime

import pytest

from app.engine.pack import build_pack, check_files
from app.engine.pack.reading import read_files
from app.engine.problems import PackError, Problem
from tests.packs import changed

pytestmark = pytest.mark.unit

OFFER, HELP, POLICY, CARE = (
    "policies/offers/to_plan_59.yaml",
    "policies/help/port_help.yaml",
    "policies/policy.yaml",
    "policies/care/thank_you.yaml",
)
PACK = ("    kind: plan\n", "    kind: pack\n"), ("cheaper: fee_on('plan_59', 3) <", "cheaper: 1 <")


def told(*replaced: tuple[str, str], **added: str) -> list[str]:
    """What is said, without the hints."""
    return [f"{item.place}: {item.severity}[{item.code}]: {item.message}" for item in check_files(changed(*replaced, **added))]


@pytest.mark.parametrize("confirm", ["none", "readback", "double"])
def test_contract_without_holder(confirm: str) -> None:
    """Another plan, a contract, a term or an exit fee: only the holder confirms that."""
    line = f"{OFFER}:22:10: error[contract-without-holder]: `to_plan_59` changes the contract"
    grade = ("confirm: holder", f"confirm: {confirm}")
    assert told(grade) == [f"{line} (a tariff of the kind `plan`) and is confirmed by `{confirm}`"]


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ("    fee_after: 5900\n    commitment_months: 12", "a term of 12 months"),
        ("    fee_after: 5900\n    exit_fee: 100", "an exit fee"),
    ],
)
def test_what_makes_a_contract(terms: str, why: str) -> None:
    """A pack with a term or an exit fee binds like a contract."""
    lines = told(*PACK, ("    fee_after: 5900", terms), ("confirm: holder", "confirm: double"))
    assert f"{OFFER}:22:10: error[contract-without-holder]: `to_plan_59` changes the contract ({why}) and is confirmed by `double`" in lines


def test_best_plan_is_a_contract() -> None:
    """A plan chosen for the person is a change of plan; where `confirm:` is left out, the tariff is pointed at."""
    best = ("tariff: plan_59\n", "tariff: plan.best_public_id\n"), ("confirm: holder\n", "")
    expected = f"{OFFER}:19:9: error[contract-without-holder]: `to_plan_59` changes the contract (another plan) and is confirmed by `none`"
    assert told(*best) == [expected]


@pytest.mark.parametrize(("confirm", "wrong"), [("none", True), ("readback", True), ("double", False), ("holder", False)])
def test_offer_unconfirmed(confirm: str, wrong: bool) -> None:
    """Whatever is opened is confirmed twice, also where it costs nothing."""
    expected = f"{OFFER}:22:10: error[offer-unconfirmed]: `to_plan_59` opens `plan_59` and is confirmed by `{confirm}`"
    assert told(*PACK, ("confirm: holder", f"confirm: {confirm}")) == ([expected] if wrong else [])


def test_information_about_a_tariff_opens_nothing() -> None:
    """Who only tells of a tariff needs no confirmation."""
    assert told(("value: 100", "value: 100\ntariff: plan_59"), ("kind: care\nlever: emotional", "kind: information\nlever: service")) == []
    (line,) = told(("value: 100", "value: 100\ntariff: plan_59"))
    assert "contract-without-holder" in line


def test_service_sms() -> None:
    """Service messages sell nothing, neither offers nor marketing care."""
    offer = ("confirm: holder\n", '  sms_service: {text: {en: "For {tariff.fee:money}.", zh: "{tariff.fee:money}。"}}\nconfirm: holder\n')
    assert told(offer) == [f"{OFFER}:22:16: error[offer-on-service-sms]: `to_plan_59` is an offer and goes out by service SMS"]
    care = ("  app: {text: {en: Thank you., zh: 感谢您。}}", "  sms_service: {text: {en: Thank you., zh: 感谢您。}}")
    assert told(care) == []
    marketing = (care[0], care[1] + "\nmarketing: true")
    assert told(marketing) == [f"{CARE}:11:16: error[offer-on-service-sms]: `thank_you` is marketing and goes out by service SMS"]


@pytest.mark.parametrize(("months", "wrong"), [(24, False), (25, True), (36, True)])
def test_long_commitment(months: int, wrong: bool) -> None:
    """Nobody is bound for more than two years."""
    term = ("    fee_after: 5900", f"    fee_after: 5900\n    commitment_months: {months}")
    said = ("costs {tariff.fee:money} a month.", "costs ¥59 for {tariff.commitment_months:months}.")
    zh = ("每月{tariff.fee:money}。", "每月59元，{tariff.commitment_months:months}。")
    expected = f"{POLICY}:8:24: warning[long-commitment]: `plan_59` binds for {months} months, longer than 24"
    assert told(term, said, zh) == ([expected] if wrong else [])


def test_concession_without_approval() -> None:
    """Who grants something has somebody to approve it."""
    given = ("value: 100", "value: 100\nconcession: 500")
    assert told(given) == [f"{CARE}:10:13: warning[concession-without-approval]: `thank_you` concedes something and nobody approves it"]
    assert told((given[0], f"{given[1]}\napprove: by_amount")) == []


@pytest.mark.parametrize(
    ("replaced", "what"),
    [
        ([("phases: [prevention, retention]\neligible", "phases: [hands_off, retention]\neligible")], "is an offer"),
        (
            [
                ("phases: [prevention, retention]\npropensity", "phases: [hands_off, retention]\npropensity"),
                ("value: 100", "value: 1\nmarketing: true"),
            ],
            "is marketing",
        ),
        (
            [
                ("phases: [prevention, retention]\npropensity", "phases: [hands_off, retention]\npropensity"),
                ("value: 100", "value: 1\napprove: agent\nconcession: 5"),
            ],
            "concedes something",
        ),
    ],
)
def test_hands_off(replaced: list[tuple[str, str]], what: str) -> None:
    """While hands are off nothing is sold, advertised or conceded."""
    name, file = ("to_plan_59", OFFER) if what == "is an offer" else ("thank_you", CARE)
    expected = f"{file}:7:9: error[offer-in-hands-off]: `{name}` is taken in `hands_off` and {what}"
    assert expected in told(*replaced)


@pytest.mark.parametrize(("cause", "refused"), [("port_out_in_progress", True), ("suppressed", False)])
def test_what_stands_in_while_hands_are_off(cause: str, *, refused: bool) -> None:
    """A fallback need not fit the phase, so an offer could come in by it."""
    lines = told(fallback=f"fallback: {{{cause}: [port_help, to_plan_59]}}\n")
    start = "rules/fallback.yaml:1:34: error[offer-in-hands-off]: "
    expected = [f"{start}`to_plan_59` is the fallback for `port_out_in_progress` and is an offer"] if refused else []
    assert [line for line in lines if "[offer-in-hands-off]" in line] == expected


PORTING = "{en: Your number is on its way., zh: 您的号码正在办理携出。}"


@pytest.mark.parametrize(
    ("replaced", "place", "what"),
    [
        (("value: 0\n", "value: 0\ntariff: plan_59\n"), "13:9", "has `tariff:`"),
        (("value: 0\n", "value: 0\nmarketing: true\n"), "13:12", "has `marketing:`"),
        ((PORTING, PORTING.replace("on its way.", "on its way; stay with us.")), "14:20", "speaks of `stay with us`"),
        ((PORTING, PORTING.replace("携出。", "携出，也可享折扣。")), "14:52", "speaks of `折扣`"),
    ],
)
def test_port_assistance_sells(replaced: tuple[str, str], place: str, what: str) -> None:
    """Help with porting names no tariff, is no marketing and does not win back."""
    assert f"{HELP}:{place}: error[port-assistance-sells]: `port_help` helps with porting and {what}" in told(replaced)


def on(day: str, *replaced: tuple[str, str]) -> list[Problem]:
    return list(check_files(changed(*replaced), today=datetime.date.fromisoformat(day)))


ENDS = ("on_sale_from: 2026-01-01", "on_sale_from: 2026-01-01\n    on_sale_to: 2026-11-30")


@pytest.mark.parametrize(
    ("day", "severity", "message"),
    [
        ("2026-10-30", "", ""),
        ("2026-10-31", "warning", "the tariff `plan_59` of `to_plan_59` is on sale until 2026-11-30 only"),
        ("2026-11-30", "warning", "the tariff `plan_59` of `to_plan_59` is on sale until 2026-11-30 only"),
        ("2026-12-01", "error", "the tariff `plan_59` of `to_plan_59` was withdrawn on 2026-11-30"),
        ("2025-12-31", "warning", "the tariff `plan_59` of `to_plan_59` is on sale from 2026-01-01 only"),
    ],
)
def test_sale(day: str, severity: str, message: str) -> None:
    """What is no longer on sale is refused, what soon will not be, or not yet is, is told of; without a day nothing is."""
    found = [(problem.severity, problem.message) for problem in on(day, ENDS)]
    assert found == ([(severity, message)] if message else [])
    assert check_files(changed(ENDS)) == ()


def test_errors_keep_a_pack_from_running_and_warnings_do_not() -> None:
    """An offer nobody confirms is refused wherever a pack is loaded; a long term is not."""
    with pytest.raises(PackError, match="contract-without-holder"):
        build_pack(changed(("confirm: holder", "confirm: none")))
    assert build_pack(changed(("value: 100", "value: 100\nconcession: 500"))).name == "small"
    assert read_files(changed()).problems == []
