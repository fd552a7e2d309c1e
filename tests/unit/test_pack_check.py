"""Mistakes in a pack: each is told once, with its file, line and column, what is wrong and the nearest right thing."""

import pytest

from app.engine.pack import PackError, build_pack, check_files
from app.engine.pack.names import literal
from app.engine.pack.reading import MOST_PROBLEMS
from app.engine.problems import PackError as Raised
from app.engine.problems import Place, Problem, shown
from tests.packs import SMALL, changed, facts, patterns, problems, small

pytestmark = pytest.mark.unit

CARE, HELP, OFFER = "policies/care/thank_you.yaml", "policies/help/port_help.yaml", "policies/offers/to_plan_59.yaml"
FEN = "money is in fen, shares from 0 to 1, decimals with a point"
POLICY, HEAD, PLACES, RULES = "policies/policy.yaml", "rules/pack.yaml", "rules/places.yaml", "rules/rules.yaml"

SCHEMA = [
    (
        "duty: offer\n",
        "duty: ofer\n",
        f"{OFFER}:5:7",
        "`duty`: input should be 'owed', 'care' or 'offer', not `ofer`; did you mean `offer`?",
    ),
    ("propensity: 0.5", "propensity: 1.5", f"{CARE}:8:13", "`propensity`: should be at most 1, not `1.5`"),
    ("propensity: 0.5", "propensity: [{if: signal('high.toll')}]", f"{CARE}:8:14", "`propensity.0.is` is missing"),
    ("value: 100", "value: 100\nvalu: 3", f"{CARE}:10:1", "unknown key `valu`; did you mean `value`?"),
    ("value: 100", "priority: 3", f"{CARE}:1:1", "`value` is missing"),
    ("value: 100", "value:", f"{CARE}:9:7", "`value` is empty"),
    (
        "    fee: 5900\n",
        "    fee: 59.5\n",
        f"{POLICY}:6:10",
        "`tariffs.0.fee`: expected a whole number, not `59.5`",
    ),
    ("    fee: 5900\n", "    fee: -1\n", f"{POLICY}:6:10", "`tariffs.0.fee`: should be at least 0, not `-1`"),
    (
        "on_sale_from: 2026-01-01",
        "on_sale_from: 1767225600",
        f"{POLICY}:13:19",
        "`tariffs.0.on_sale_from`: a date should be written as 2026-11-22, not `1767225600`",
    ),
    (
        "on_sale_from: 2026-01-01",
        "on_sale_from: 2026-01-01\n    on_sale_to: 2025-12-31",
        f"{POLICY}:2:5",
        "`tariffs.0`: `on_sale_to:` is before `on_sale_from:`",
    ),
    (
        "    kind: plan\n",
        "    kind: plann\n",
        f"{POLICY}:3:11",
        "`tariffs.0.kind`: input should be 'plan', 'pack', 'contract' or 'benefit', not `plann`; did you mean `plan`?",
    ),
    ("kind: offer\n", "kind: offer\nmarketing: false\n", f"{OFFER}:4:12", "an offer is always marketing; leave `marketing:` out"),
    ("duty: offer\n", "duty: care\n", f"{OFFER}:5:7", "the duty of an offer is `offer`"),
    ("kind: information\n", "kind: care\n", f"{HELP}:7:10", "help with porting is a service or an information and concedes nothing"),
    ("value: 0\n", "value: 0\nconcession: 5\n", f"{HELP}:7:10", "help with porting is a service or an information and concedes nothing"),
    ("ages: {churn: 35}", "ages: {churn: 0}", f"{RULES}:25:15", "`ages.churn`: should be at least 1, not `0`"),
    ("currency: CNY", "currency: cny", f"{HEAD}:1:65", "`pack.currency`: `cny` is not a currency of three capital letters, as in `CNY`"),
    ("unknown: allow\n      ", "", f"{POLICY}:39:7", "`guardrails.clauses.0`: `unknown: allow` and `because:` go together"),
    ("is: 1500\n", 'is: ""\n', f"{RULES}:3:10", "`parameters.0.is` is empty"),
    (
        "type: enum\n    values: [a, b]\n",
        "type: enum\n",
        f"{RULES}:7:5",
        "`custom.0`: `values:` lists the words of an enumeration, or of a set",
    ),
    ("is: last(billing.toll_fee)\n", "first: []\n", f"{RULES}:12:5", "`facts.0`: a fact has either `is:` or `first:`"),
    (
        "is: last(billing.toll_fee)\n",
        "is: 1\n    values: [a]\n",
        f"{RULES}:12:5",
        "`facts.0`: `values:` are the words that the rows of `first:` give",
    ),
    (
        "      - severe: facts.toll >= 2 * param.floor\n",
        "      - severe: true\n        watch: true\n",
        f"{RULES}:30:7",
        "`levels:` lists each level once, as `- high: expression`",
    ),
    (
        "  app: {text: {en: Thank you., zh: 感谢您。}}",
        "  app: {}",
        f"{CARE}:11:8",
        "`channels.app`: a channel has either `script:` (said) or `text:` (sent or shown)",
    ),
    ("  app: {text: {en: Thank you., zh: 感谢您。}}", "  ap: {text: {en: Thank you., zh: 感谢您。}}", f"{CARE}:11:7", None),
    ("title: {en: Thank you, zh: 感谢}", "title: {en: Thank you}", f"{CARE}:2:8", "`title.zh` is missing"),
    ("title: {en: Thank you, zh: 感谢}", "title: Thank you", f"{CARE}:2:8", "`title`: expected both languages, as in `{en: …, zh: …}`"),
    ("title: {en: Thank you, zh: 感谢}", "title:", f"{CARE}:2:7", "`title`: expected both languages, as in `{en: …, zh: …}`"),
    ("title: {en: Thank you, zh: 感谢}", "title: {en: [A], zh: B}", f"{CARE}:2:13", "`title.en`: expected one text"),
    ("title: {en: Thank you, zh: 感谢}", "title: {en: A, zh: ''}", f"{CARE}:2:21", "`title.zh` is empty"),
    ("value: 100", "value: 100\npriority: 101", f"{CARE}:10:11", "`priority`: should be at most 100, not `101`"),
    (
        "    fee: 5900\n",
        "    fee: 9000000000000\n",
        f"{POLICY}:6:10",
        "`tariffs.0.fee`: should be at most 1,000,000,000,000, not `9000000000000`",
    ),
    ("propensity: 0.5", "propensity: half", f"{CARE}:8:13", "`propensity`: expected a number, not `half`"),
    ("propensity: 0.5", "propensity: .nan", f"{CARE}:8:13", "`propensity`: expected a number, not `.nan`"),
    (
        "phases: [prevention, retention]\npropensity",
        "phases: care\npropensity",
        f"{CARE}:7:9",
        "`phases`: expected a list, each entry after `- `, not `care`",
    ),
    (
        "phases: [prevention, retention]\npropensity",
        "phases: []\npropensity",
        f"{CARE}:7:9",
        "`thank_you` has no phase; name its phases, or the cause under `fallback:` that it stands in for",
    ),
    ("value: 100", "value: 100\nmarketing: maybe", f"{CARE}:10:12", "`marketing`: expected `true` or `false`, not `maybe`"),
    (
        "value: 100",
        "value: 100\nsuitable: all",
        f"{CARE}:10:11",
        "`suitable`: expected names with values, each as `name: value`, not `all`",
    ),
    (
        "    filing_no: CN-0001\n",
        "    filing_no: 1\n",
        f"{POLICY}:5:16",
        "`tariffs.0.filing_no`: `1` is not 4 to 40 letters, digits and `-`",
    ),
    (
        "on_sale_from: 2026-01-01",
        "on_sale_from: 2026-02-30",
        f"{POLICY}:13:19",
        "`tariffs.0.on_sale_from`: expected a date, as in 2026-11-22, not `2026-02-30`",
    ),
    (
        "category: care\n",
        "category: Care\n",
        f"{CARE}:6:11",
        "`category`: `Care` is not a name of lower-case letters, digits and `_` that begins with a letter",
    ),
    ("category: care\n", f"category: {'a' * 61}\n", f"{CARE}:6:11", "`category` has more than 60 characters"),
    ("salt: small-salt", "salt: s", f"{HEAD}:1:97", "`pack.salt` has fewer than 4 characters"),
    ("id: param.floor\n", "id: floor\n", f"{RULES}:2:9", "`parameters.0.id`: `floor` is not an id that begins with `param.`"),
]
REFERENCES = [
    ("unknown-name", "tariff: plan_59\n", "tariff: plan_95\n", f"{OFFER}:19:9", "unknown tariff `plan_95`; did you mean `plan_59`?"),
    ("offer-without-tariff", "tariff: plan_59\n", "", f"{OFFER}:3:7", "an offer names the published tariff it comes from; add `tariff:`"),
    (
        "unknown-name",
        "phases: [prevention, retention]\neligible",
        "phases: [preventon]\neligible",
        f"{OFFER}:7:10",
        "unknown phase `preventon`; did you mean `prevention`?",
    ),
    (
        "unknown-name",
        "tariff: plan_59\n",
        "tariff: plan_59\nexcludes: [thank_yuo]\n",
        f"{OFFER}:20:12",
        "unknown action `thank_yuo`; did you mean `thank_you`?",
    ),
    (
        "duplicate-id",
        "not_already: plan.id",
        "phase: plan.id",
        f"{OFFER}:9:10",
        "the clause name `phase` is taken; clause names are unique within an action",
    ),
    (
        "duplicate-id",
        "tolls: signal('high.toll')",
        "not_already: signal('high.toll')",
        f"{OFFER}:11:16",
        "the clause name `not_already` is taken; clause names are unique within an action",
    ),
    (
        "unknown-name",
        "tolls: signal('high.toll')",
        "tolls: signal('high.tol')",
        f"{OFFER}:11:17",
        "unknown signal `high.tol`; did you mean `high.toll`?",
    ),
    (
        "unknown-name",
        "fact: home.has_broadband",
        "fact: home.has_brodband",
        f"{RULES}:24:12",
        "no base fact `home.has_brodband`; did you mean `home.has_broadband`?",
    ),
    ("unknown-name", "fact: home.has_broadband", "fact: facts.toll", f"{RULES}:24:12", "no base fact `facts.toll`"),
    *(
        (
            "question",
            "fact: home.has_broadband",
            f"fact: {name}",
            f"{RULES}:24:12",
            f"`{name}` may not be asked for; port, protected and computed facts are never asked",
        )
        for name in ("port.state", "holder.age_band", "request.channel", "plan.best_public_id")
    ),
    ("unknown-name", "ages: {churn: 35}", "ages: {chrun: 35}", f"{RULES}:25:15", "no section or fact `chrun`; did you mean `churn`?"),
    (
        "unknown-word",
        "moment: port_out\n",
        "moment: port_uot\n",
        f"{POLICY}:35:15",
        "`port_uot` is not a moment of the vocabulary; did you mean `port_out`?",
    ),
    (
        "unknown-word",
        "  - id: complaint\n",
        "  - id: complant\n",
        f"{PLACES}:9:9",
        "`complant` is not a moment of the vocabulary; did you mean `complaint`?",
    ),
    (
        "missing",
        "jurisdiction: cn, currency",
        "jurisdiction: eu, currency",
        f"{HEAD}:1:51",
        "there are no guardrails for `eu`; add them under `guardrails:`",
    ),
    (
        "unknown-word",
        "zone: Asia/Shanghai",
        "zone: Asia/Shangai",
        f"{HEAD}:1:76",
        "no time zone `Asia/Shangai`; did you mean `Asia/Shanghai`?",
    ),
    (
        "unknown-name",
        "  valid_days: 7\n",
        "  valid_days: 7\nfallback: {guardrail: [thank_yu]}\n",
        f"{POLICY}:23:23",
        "the fallback for `guardrail` names unknown action `thank_yu`; did you mean `thank_you`?",
    ),
    ("number-too-large", "is: 1500\n", "is: 1500000000000\n", f"{RULES}:3:9", "`1500000000000` is larger than 10^12"),
    ("type", "is: 1500\n    unit: money\n", "is: [1, a]\n", f"{RULES}:3:9", "a list holds values of one kind"),
    ("type", "is: 1500\n", "is: [1, a]\n", f"{RULES}:3:13", f"`a` is not a number; {FEN}"),
    ("type", "is: 1500\n    unit: money\n", "is: [1, 1.]\n", f"{RULES}:3:13", f"`1.` is not a number; write `1`: {FEN}"),
    (
        "unknown-word",
        "id: param.floor\n    is: 1500\n    unit: money",
        "id: param.floor\n    is: 1500\n    unit: mony",
        f"{RULES}:4:11",
        "unknown unit `mony`; did you mean `money`?",
    ),
    (
        "unknown-word",
        "title: {en: Toll charges, zh: 通话费}\n    unit: money",
        "title: {en: Toll charges, zh: 通话费}\n    unit: kg",
        f"{RULES}:14:11",
        "unknown unit `kg`; it is one of `MB`, `count`, `days`, `dbm`, `hours`, `mbps`, `minutes`, `money`, `months`, `points`, "
        "`score`, `share`",
    ),
    (
        "unknown-word",
        "title: {en: Toll charges, zh: 通话费}\n    unit: money",
        "title: {en: Toll charges, zh: 通话费}\n    unit: fen",
        f"{RULES}:14:11",
        "unknown unit `fen`; amounts are `money`, in fen: 560 yuan is 56000",
    ),
    (
        "unknown-word",
        "type: enum\n    values: [a, b]\n",
        "type: number\n    unit: minuts\n",
        f"{RULES}:9:11",
        "unknown unit `minuts`; did you mean `minutes`?",
    ),
    *(
        ("unknown-word", "zone: Asia/Shanghai", f"zone: {zone}", f"{HEAD}:1:76", f"no time zone `{zone}`; {hint}")
        for zone, hint in (
            ("localtime", "it has a name such as `Asia/Shanghai`"),
            ("posixrules", "it has a name such as `Asia/Shanghai`"),
            ("Factory", "it has a name such as `Asia/Shanghai`"),
            ("right/Asia/Shanghai", "did you mean `Asia/Shanghai`?"),
            ("posix/Asia/Shanghai", "did you mean `Asia/Shanghai`?"),
        )
    ),
    (
        "type",
        "is: last(billing.toll_fee)",
        "is: billing.toll_fee",
        f"{RULES}:15:9",
        "`facts.toll` is a series; use last(), mean() or total()",
    ),
    (
        "unknown-name",
        "is: last(billing.toll_fee)",
        "is: last(billing.toll_fe)",
        f"{RULES}:15:14",
        "unknown name `billing.toll_fe`; did you mean `billing.toll_fee`?",
    ),
    (
        "unknown-word",
        "        is: high\n",
        "        is: hihg\n",
        f"{RULES}:21:13",
        "`hihg` is not a value of this table; did you mean `high`?",
    ),
    ("type", "    is: 0.4\n", "    is: 1.4\n", f"{OFFER}:16:9", "`1.4` is not a propensity; it is a share from 0 to 1"),
    (
        "unreachable",
        "- if: value.annual >= 100000\n        is: high",
        "- is: high",
        f"{RULES}:20:9",
        "rows after one without `if:` are never reached; put it last",
    ),
    (
        "unreachable",
        "    any: {toll: signal('high.toll')}\n",
        "",
        f"{PLACES}:20:5",
        "the last of `phases:`, and only it, has no `any:`; it is what holds when nothing else does",
    ),
    (
        "unreachable",
        "  - id: stable\n",
        "  - id: stable\n    any: {x: custom.band == 'a'}\n",
        f"{PLACES}:6:5",
        "the last of `stages:`, and only it, has no `any:`; it is what holds when nothing else does",
    ),
    (
        "unknown-word",
        "consent.marketing == 'yes'",
        "consent.marketing == 'yess'",
        f"{POLICY}:27:35",
        "`consent.marketing` is never `yess`; did you mean `yes`?",
    ),
    (
        "unknown-word",
        "permits: consent.marketing == 'yes'",
        "permits: action.category != 'cair'",
        f"{POLICY}:27:33",
        "`action.category` is never `cair`; did you mean `care`?",
    ),
    (
        "unknown-word",
        "permits: consent.marketing == 'yes'",
        "permits: refused(days=9, action='thank_yo') == 0",
        f"{POLICY}:27:37",
        "`action` is never `thank_yo`; did you mean `thank_you`?",
    ),
    (
        "scope",
        "value: 100",
        "value: tariff.fee",
        f"{CARE}:9:8",
        "`tariff.fee` may not be used here; it is known in the gates and texts of an action with a fixed tariff",
    ),
    (
        "scope",
        "value: 100",
        "value: 100\nconcession: 2 * action.concession",
        f"{CARE}:10:17",
        "`action.concession` may not be used here; it is known in gates, contact policy and guardrails",
    ),
]
PORT = "`{}` may not be used here; port data is for guardrails, `hands_off:` and actions of `purpose: port_assistance`"
PORTS = [
    ("leaving: count(events.intent_leave", "leaving: count(events.port_apply", f"{PLACES}:5:22", "events.port_apply"),
    ("any: {toll: signal('high.toll')}", "any: {toll: port.state == 'applied'}", f"{PLACES}:19:17", "port.state"),
    ("if: value.annual >= 100000", "if: known(port.last_on)", f"{RULES}:20:19", "port.last_on"),
    ("severe: facts.toll >= 2 * param.floor", "severe: port.state == 'applied'", f"{RULES}:30:17", "port.state"),
    ("not_already: plan.id != 'plan_59'", "not_already: port.state != 'applied'", f"{OFFER}:9:16", "port.state"),
    ("value: 100", "value: since(events.port_query)", f"{CARE}:9:14", "events.port_query"),
    ("permits: consent.marketing == 'yes'", "permits: port.state != 'applied'", f"{POLICY}:27:14", "port.state"),
    ("purpose: port_assistance\n", "", f"{HELP}:9:14", "port.state"),
]
SLOTS = [
    ("{facts.tol:money}", "unknown name `facts.tol` in a text; did you mean `facts.toll`?"),
    ("{facts.toll:mony}", "unknown format `mony`; did you mean `money`?"),
    (
        "{facts.toll:x}",
        "unknown format `x`; there are `money`, `about`, `percent`, `count`, `date`, "
        "`MB`, `minutes`, `days`, `months`, `years`, `hours`, `text`",
    ),
    (
        "{facts.toll + 1:money}",
        "`{facts.toll + 1:money}` is not a slot; a slot is `{name:format}`; put an expression into a fact, one a line",
    ),
    (
        "{last(billing.total):money}",
        "`{last(billing.total):money}` is not a slot; a slot is `{name:format}`; put an expression into a fact, one a line",
    ),
    ("{facts.toll}", "`facts.toll` is in money, which the format `text` does not show; write `{facts.toll:money}`"),
    ("{facts.toll:MB}", "`facts.toll` is in money, which the format `MB` does not show; write `{facts.toll:money}`"),
    ("{facts.toll:years}", "`facts.toll` is in money, which the format `years` does not show; write `{facts.toll:money}`"),
    ("{account.tenure_months:about}", "`account.tenure_months` is in months, not in money; write `{account.tenure_months:months}`"),
    ("{pay.overdue_days:years}", "`pay.overdue_days` is in days, not in months; write `{pay.overdue_days:days}`"),
    ("{account.tenure_months:money}", "`account.tenure_months` is in months, not in money; write `{account.tenure_months:months}`"),
    (
        "｛facts.toll:money｝",
        "`｛facts.toll:money｝ in calls.` is not a slot; a slot is `{name:format}`; put an expression into a fact, one a line",
    ),
    ("{facts.toll:date}", "`facts.toll` is a number, which the format `date` does not show"),
    ("{plan.name:money}", "`plan.name` is a text, which the format `money` does not show"),
    ("{contract.promo_end}", "`contract.promo_end` is a date, which the format `text` does not show; write `{contract.promo_end:date}`"),
    (
        "{contract.promo_end:days}",
        "`contract.promo_end` is a date, which the format `days` does not show; write `{contract.promo_end:date}`",
    ),
    (
        "{billing.total:money}",
        "`billing.total` is a series, which the format `money` does not show; put last(), mean() or total() of it into a fact",
    ),
    ("{port.state}", "unknown name `port.state` in a text"),
    ("{tariff.fee:money}", "unknown name `tariff.fee` in a text"),
    (
        "{facts.toll:money",
        "`{facts.toll:money in calls.` is not a slot; a slot is `{name:format}`; put an expression into a fact, one a line",
    ),
]


def test_small_pack() -> None:
    """The pack that these tests change has nothing wrong with it."""
    assert check_files(SMALL) == ()
    assert build_pack(SMALL).name == "small"


@pytest.mark.parametrize(("old", "new", "place", "message"), SCHEMA)
def test_schema(old: str, new: str, place: str, message: str | None) -> None:
    """A file that is not what a pack holds says which key, and what it should be; once, also where several forms are allowed."""
    (found,) = problems(changed((old, new)))
    assert found.startswith(f"{place}: error[schema]: ")
    assert message is None or found == f"{place}: error[schema]: {message}"


@pytest.mark.parametrize(("code", "old", "new", "place", "message"), REFERENCES)
def test_meaning(code: str, old: str, new: str, place: str, message: str) -> None:
    """A name that does not exist, a word that is never said, a row that is never reached."""
    assert problems(changed((old, new))) == [f"{place}: error[{code}]: {message}"]


@pytest.mark.parametrize(("old", "new", "place", "name"), PORTS)
def test_port_data(old: str, new: str, place: str, name: str) -> None:
    """Port data is refused everywhere but in guardrails, hands-off clauses and help with porting."""
    assert problems(changed((old, new))) == [f"{place}: error[scope]: {PORT.format(name)}"]


@pytest.mark.parametrize(("slot", "message"), SLOTS)
def test_slots(slot: str, message: str) -> None:
    """A slot names what can be shown, in a format that shows it."""
    assert problems(changed(("{facts.toll:money} in calls", f"{slot} in calls"))) == [f"{RULES}:32:19: error[slot]: {message}"]


def test_slots_of_tariffs() -> None:
    """Texts of an action with a tariff know its terms; other actions have none to tell."""
    known = "{tariff.name} {tariff.fee:money} {tariff.months:months} {tariff.filing_no} {tariff.saving:money} {action.valid_until:date}"
    saving = ("plan.id != 'plan_59'", "plan.best_public_saving > 0")
    assert problems(changed(saving, ('"{tariff.name} for', f'"{known} for'), ('"{tariff.name}，', f'"{known}，'))) == []
    (found,) = problems(changed(("{en: Thank you., zh", '{en: "{tariff.name}, until {action.valid_until:date}", zh')))
    assert "error[slot]: unknown name `tariff.name` in a text" in found


class TestSeveral:
    def test_gathered_and_sorted(self) -> None:
        """Mistakes in several files are told together, by file and line."""
        files = changed(
            ("value: 100", "value: plan.id"),
            ("consent.marketing == 'yes'", "consent.marketing == 'yess'"),
            ("tariff: plan_59\n", "tariff: plan_95\n"),
            ("severe: facts.toll >= 2", "severe: facts.tol >= 2"),
        )
        found = problems(files)
        assert [item.partition(" ")[0] for item in found] == [f"{CARE}:9:8:", f"{OFFER}:19:9:", f"{POLICY}:27:35:", f"{RULES}:30:17:"]
        with pytest.raises(PackError) as raised:
            build_pack(files)
        assert str(raised.value) == "\n".join(found)
        assert isinstance(raised.value, Raised)

    def test_files_that_cannot_be_read(self) -> None:
        """A file that cannot be read does not hide what is wrong with the next."""
        files = {**changed(("value: 100", "valu: 100")), "rules/a.yaml": b"a: [", "rules/b.yaml": b"\xff"}
        assert [item.partition(" ")[0] for item in problems(files)] == [
            f"{CARE}:1:1:",
            f"{CARE}:9:1:",
            "rules/a.yaml:2:1:",
            "rules/b.yaml:1:1:",
        ]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("is: last(billing.toll_fee)", "is: last(billing.toll_fe)"),
            ("is: last(billing.toll_fee)", "is: billing.toll_fee"),
            ("is: 1500\n", "is: [1, a]\n"),
            ("is: 1500\n", "is: 1,5\n"),
        ],
    )
    def test_nothing_follows(self, old: str, new: str) -> None:
        """Signals, gates and texts that rest on a fact with a mistake are not blamed for it."""
        assert len(problems(changed((old, new)))) == 1

    def test_so_many(self) -> None:
        """After so many mistakes no more are looked for, and that is said."""
        rows = "".join(f"  - {{id: facts.x{n}, title: {{en: X, zh: X}}, is: bilin.totl{n} + 1}}\n" for n in range(2 * MOST_PROBLEMS))
        found = problems(small(x=f"facts:\n{rows}"))
        assert (
            found[0] == f"pack:1:1: error[too-many]: more than {MOST_PROBLEMS} mistakes; these come first; put them right and check again"
        )
        assert len(found) == MOST_PROBLEMS + 1


class TestIds:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "parameters: [{id: param.floor, is: 1, why: {en: A, zh: B}}]",
                "parameter `param.floor` stands in rules/rules.yaml:2:5 already",
            ),
            (
                "custom: [{id: custom.band, type: text, title: {en: A, zh: B}}]",
                "custom fact `custom.band` stands in rules/rules.yaml:7:5 already",
            ),
            ("facts: [{id: facts.toll, title: {en: A, zh: B}, is: 1}]", "fact `facts.toll` stands in rules/rules.yaml:12:5 already"),
            (
                "signals: [{id: high.toll, title: {en: A, zh: B}, levels: [{high: true}], reason: {en: A, zh: B}}]",
                "signal `high.toll` stands in rules/rules.yaml:27:5 already",
            ),
            (
                "questions: [{fact: home.has_broadband, who: self, en: A, zh: B}]",
                "the question for `home.has_broadband` stands in rules/rules.yaml:24:5 already",
            ),
            ("ages: {churn: 1}", "`churn` stands under `ages:` in `rules/rules.yaml` already"),
            (
                "contact: [{id: consent, title: {en: A, zh: B}, permits: true, reason: {en: A, zh: B}}]",
                "contact clause `consent` stands in policies/policy.yaml:24:5 already",
            ),
        ],
    )
    def test_over_all_files(self, text: str, message: str) -> None:
        """An id stands once in a pack, whichever file it stands in."""
        (found,) = problems(small(x=text))
        assert found.startswith("rules/x.yaml:1:")
        assert f"error[duplicate-id]: {message}; " in found

    def test_actions(self) -> None:
        """Two files cannot hold one action."""
        (found,) = problems({**SMALL, "policies/x.yaml": SMALL[CARE]})
        assert (
            found
            == f"policies/x.yaml:1:1: error[duplicate-id]: action `thank_you` stands in {CARE}:1:1 already; ids are unique over all files"
        )

    @pytest.mark.parametrize("key", ["pack", "arbitration"])
    def test_single_parts(self, key: str) -> None:
        """The head and the arbitration stand once, and are not left out."""
        holder = HEAD if key == "pack" else POLICY
        part = SMALL[holder].decode()
        part = part if key == "pack" else part[part.index("arbitration:") : part.index("contact:")]
        (found,) = problems(small(x=part))
        place = "rules/x.yaml:1:7" if key == "pack" else "rules/x.yaml:2:3"
        assert found == f"{place}: error[duplicate-part]: `{key}:` stands in `{holder}` already; keep one of them"
        assert f"pack:1:1: error[missing]: the pack has no `{key}:`" in problems(changed((part, "holidays: []\n")))

    def test_guardrails(self) -> None:
        """A jurisdiction has one profile; those of others may stand beside it, and are checked too."""
        profile = "guardrails: {jurisdiction: %s, hands_off: [], clauses: []}"
        assert problems(small(x=profile % "eu")) == []
        assert "guardrails for `cn` stand in another file already" in problems(small(x=profile % "cn"))[0]
        clause = "id: x, title: {en: A, zh: B}, reason: {en: A, zh: B}, source: {en: A, zh: B}, checked: counsel"
        wrong = f"guardrails:\n  jurisdiction: eu\n  hands_off: []\n  clauses:\n    - {{permits: plan.ix == 'a', {clause}}}\n"
        assert problems(small(x=wrong)) == ["rules/x.yaml:5:17: error[unknown-name]: unknown name `plan.ix`; did you mean `plan.id`?"]


class TestTables:
    @pytest.mark.parametrize("key", ["stages", "moments", "phases"])
    def test_split(self, key: str) -> None:
        """A table whose order matters stands in one file; that of files means nothing."""
        part = "{id: care, title: {en: A, zh: B}" + (", mix: {policy: 1, service: 1, emotional: 1}" if key == "phases" else "") + "}"
        found = problems(small(x=f"{key}: [{part}]".replace("care", "bill") if key == "moments" else f"{key}: [{part}]"))
        assert (
            f"rules/x.yaml:1:1: error[split-table]: `{key}:` stands in `{PLACES}` already; its order matters: keep it in one file" in found
        )

    def test_missing(self) -> None:
        """Without stages, phases or moments there is no decision."""
        found = problems({name: content for name, content in SMALL.items() if name != PLACES})
        assert {f"pack:1:1: error[missing]: the pack has no `{key}:`" for key in ("stages", "phases", "moments")} <= set(found)

    def test_first_phase(self) -> None:
        """The first phase is the one in which hands are off."""
        found = problems(changed(("  - id: hands_off\n", "  - id: hand_off\n")))
        assert f"{PLACES}:14:5: error[missing]: the first phase is `hands_off`; its clauses stand in the guardrail profile" in found


class TestCycles:
    def test_facts(self) -> None:
        """Facts that rest on each other name the circle."""
        found = problems(small(x=facts(a="facts . b + 1", b="1 + facts.a")))
        assert found == ["rules/x.yaml:2:5: error[cycle]: depends on itself: `facts.a` → `facts.b` → `facts.a`; break the circle"]

    def test_itself(self) -> None:
        """A fact cannot rest on itself, a signal neither."""
        assert "`facts.toll` → `facts.toll`" in problems(changed(("is: last(billing.toll_fee)", "is: facts.toll + 1")))[0]
        signal = changed(("severe: facts.toll >= 2 * param.floor", "severe: signal( 'high.toll')"))
        assert "`signal:high.toll` → `signal:high.toll`" in problems(signal)[0]

    def test_through_patterns(self) -> None:
        """A circle may go through facts, signals, levels and patterns alike."""
        level = ("if: value.annual >= 100000", "if: level( \"x.joined\" ) >= 'high'")
        (found,) = problems(changed(level, x=patterns(joined="facts.worth == 'high'")))
        assert found.endswith("depends on itself: `facts.worth` → `signal:x.joined` → `facts.worth`; break the circle")

    def test_through_plans(self) -> None:
        """Whether a plan is open may not rest on which open plan is best."""
        found = problems(changed(("    effective: next_cycle", "    open_if: best_fee(3) > 100\n    effective: next_cycle")))
        assert "depends on itself: `open:plan_59` → `open:plan_59`" in found[0]

    def test_long(self) -> None:
        """A circle of thousands is told in a line."""
        (found,) = problems(small(x=facts(**{f"a{n}": f"facts.a{(n + 1) % 3000}" for n in range(3000)})))
        assert "error[cycle]: depends on itself: `facts.a0` → `facts.a1` → " in found
        assert found.endswith(" → …; break the circle")

    def test_order_means_nothing(self) -> None:
        """A fact may stand before those it rests on, however it spells them."""
        assert problems(small(x=facts(a="facts . b + 1", b="2"))) == []

    def test_patterns_on_patterns(self) -> None:
        """Patterns run once: none can wait for another."""
        (found,) = problems(small(x=patterns(a="custom.band == 'a'", b="not signal('x.a')")))
        advice = "patterns run once; use their signals in facts and signals"
        assert found == f"rules/x.yaml:11:11: error[pattern-order]: `x.b` depends on another pattern; {advice}"


class TestSelfReference:
    def test_concession(self) -> None:
        """Gates may look at what an action concedes, which is worked out before them."""
        conceding = "value: 100\napprove: agent\nconcession: 2 * plan.monthly_fee\nsuitable: {little: action.concession <= 5000}"
        assert problems(changed(("value: 100", conceding))) == []

    def test_duty(self) -> None:
        """The duty may rest on what the action is, and gates on the duty."""
        rows = "duty:\n  - if: action.kind == 'care' and custom.band == 'a'\n    is: owed\n  - is: care\n"
        assert problems(changed(("duty: care\n", rows), ("value: 100", "value: 100\nsuitable: {owed: action.duty == 'owed'}"))) == []


class TestParameters:
    @pytest.mark.parametrize(
        ("written", "value", "kind"),
        [
            ("1500", 1500, "number"),
            ("-3", -3, "number"),
            ("0.25", 0.25, "number"),
            ("true", True, "boolean"),
            ("false", False, "boolean"),
            ("yes", "yes", "text"),
            ("1e3", "1e3", "text"),
            ("1_000", "1_000", "text"),
            ("１２", "１２", "text"),
            ("09:00", "09:00", "text"),
            ("2026-01-01", "2026-01-01", "text"),
            ("5 ", "5 ", "text"),
        ],
    )
    def test_literals(self, written: str, value: object, kind: str) -> None:
        """A parameter is a whole number, a decimal or a truth value when it is spelt as one, else a text."""
        found, type_ = literal(written)
        assert (found, type(found), type_.kind) == (value, type(value), kind)

    @pytest.mark.parametrize(
        ("written", "hint"),
        [
            ("1,5", f"write `1.5`: {FEN}"),
            ("1,500", f"write `1500`: {FEN}"),
            ("1,500.5", f"write `1500.5`: {FEN}"),
            ("60%", f"write `0.6`: {FEN}"),
            ("¥15", f"write `1500`: {FEN}"),
            ("1_500", f"write `1500`: {FEN}"),
            ("１.５", f"write `1.5`: {FEN}"),
            (".5", f"write `0.5`: {FEN}"),
            ("+5", f"write `5`: {FEN}"),
            ("−5", f"write `-5`: {FEN}"),
            ("1e3", f"write `1000`: {FEN}"),
            ("0.33333333333333333", f"write `0.333333333333`: {FEN}"),
            (".nan", FEN),
            ("-.inf", FEN),
            ("1e99", FEN),
            ("5GB", FEN),
            ("2026/1/1", "a day is written as 2026-01-31"),
        ],
    )
    def test_mistyped(self, written: str, hint: str) -> None:
        """What begins as a number does and is none is told where it stands, with or without a unit, and nowhere else."""
        for unit in ("    unit: money\n", ""):
            found = problems(changed(("is: 1500\n    unit: money\n", f"is: {written}\n{unit}")))
            assert found == [f"{RULES}:3:9: error[type]: `{written}` is not a number; {hint}"]

    @pytest.mark.parametrize("written", ["much", "true", "2026-01-01"])
    def test_mistyped_with_unit(self, written: str) -> None:
        """What has a unit is a number."""
        (found,) = problems(changed(("is: 1500\n", f"is: {written}\n")))
        assert found.startswith(f"{RULES}:3:9: error[type]: `{written}` is not a number; ")

    def test_too_many_digits(self) -> None:
        """A number too long to be one is too large."""
        found = problems(changed(("is: 1500\n", f"is: {'9' * 20}\n")))
        assert found == [f"{RULES}:3:9: error[number-too-large]: `{'9' * 20}` is larger than 10^12"]

    def test_in_expressions(self) -> None:
        """Lists are sets, dates and times are read where they stand beside one."""
        rows = "".join(
            f"  - {{id: param.{name}, is: {value}, why: {{en: A, zh: B}}}}\n"
            for name, value in (("packs", "[a, 4g]"), ("day", "2026-01-01"), ("hour", '"09:00"'), ("on", "true"), ("fees", "[1, 2]"))
        )
        tests = "".join(
            f"  - id: facts.{name}\n    title: {{en: A, zh: B}}\n    is: {text}\n"
            for name, text in (
                ("a", "overlap(services.held, param.packs) and plan.id in param.packs and param.on"),
                ("b", "contract.promo_end >= param.day"),
                ("c", "plan.monthly_fee in param.fees"),
            )
        )
        files = changed(
            ("permits: consent.marketing == 'yes'", "permits: clock.time >= param.hour"), x=f"parameters:\n{rows}facts:\n{tests}"
        )
        assert problems(files) == []


def test_problem_as_text() -> None:
    """A problem is one line; what is quoted from a pack is short and printable."""
    assert str(Problem(Place("a.yaml", 3, 4), "type", "no", "yes")) == "a.yaml:3:4: error[type]: no; yes"
    assert str(Problem(Place(), "missing", "no", severity="warning")) == "pack:1:1: warning[missing]: no"
    assert shown("a\nb\x1b[31m" + "x" * 100) == "`a\ufffdb\ufffd[31m" + "x" * 72 + "…`"
