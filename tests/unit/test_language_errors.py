"""Every mistake says where it is, what is wrong, and the nearest right thing. The messages are part of the language."""

from pathlib import Path

import pytest

from app.engine.language import LONGEST_EXPRESSION, Names, parse
from app.engine.problems import Place, nearest
from app.engine.tree import TEXT, Ref
from tests.expressions import CONTACT, FACTS, GATES, SCOPES, said

pytestmark = pytest.mark.unit

NAMES = [
    ("plan.monthly_fe > 1", "1: error[unknown-name]: unknown name `plan.monthly_fe`; did you mean `plan.monthly_fee`?"),
    ("bilin.total > 1", "1: error[unknown-name]: unknown name `bilin.total`; did you mean `billing.total`?"),
    ("quite.other == 1", "1: error[unknown-name]: unknown name `quite.other`"),
    (
        "port.state == 'applied'",
        "1: error[scope]: `port.state` may not be used here; "
        "port data is for guardrails, `hands_off:` and actions of `purpose: port_assistance`",
    ),
    (
        "count(events.port_query) > 0",
        "7: error[scope]: `events.port_query` may not be used here; "
        "port data is for guardrails, `hands_off:` and actions of `purpose: port_assistance`",
    ),
    ("action.kind == 'offer'", "1: error[scope]: `action.kind` may not be used here; it is known in gates, contact policy and guardrails"),
    (
        "tariff.fee > 0",
        "1: error[scope]: `tariff.fee` may not be used here; it is known in the gates and texts of an action with a fixed tariff",
    ),
    ("stage == 'warning'", "1: error[scope]: `stage` may not be used here; it is known from phases on"),
    ("phase == 'rescue'", "1: error[scope]: `phase` may not be used here; it is known in gates, contact policy and guardrails"),
    ("clock.time > '09:00'", "1: error[scope]: `clock.time` may not be used here; it is known in contact policy and guardrails"),
    (
        "plan.id.upper() == 'A'",
        "1: error[unknown-function]: unknown function `plan.id.upper`; functions have plain names, as in `last(billing.total)`",
    ),
    (
        "__import__('os').system('true')",
        "1: error[unknown-function]: unknown function `__import__('os').system`; functions have plain names, as in `last(billing.total)`",
    ),
    ("open('/etc/passwd')", "1: error[unknown-function]: unknown function `open`"),
    ("eval('1')", "1: error[unknown-function]: unknown function `eval`; did you mean `level`?"),
    ("count(events.complant) > 0", "7: error[unknown-name]: unknown events `events.complant`; did you mean `events.complaint`?"),
    ("count(plan.id) > 0", "7: error[unknown-name]: unknown events `plan.id`"),
    (
        "count(events.complaint, same='topc') > 0",
        "30: error[unknown-name]: `'topc'` is not an attribute of these events; did you mean `topic`?",
    ),
    ("menn(billing.total, 3) > 0", "1: error[unknown-function]: unknown function `menn`; did you mean `mean`?"),
    (
        "known(events.port_query)",
        "7: error[scope]: `events.port_query` may not be used here; "
        "port data is for guardrails, `hands_off:` and actions of `purpose: port_assistance`",
    ),
    ("signal('toll')", "8: error[unknown-name]: unknown signal `toll`; did you mean `tolls`?"),
    ("fee_on('plan_60', 3) > 0", "8: error[unknown-name]: no plan `plan_60` in the tariffs; did you mean `plan_59`?"),
    (
        "'中文' == plan.id and plan.monthy_fee > 1",
        "21: error[unknown-name]: unknown name `plan.monthy_fee`; did you mean `plan.monthly_fee`?",
    ),
    ("  plan.monthy_fee > 1", "3: error[unknown-name]: unknown name `plan.monthy_fee`; did you mean `plan.monthly_fee`?"),
]

TYPES = [
    (
        "plan.monthly_fee > '5900'",
        "20: error[type]: `plan.monthly_fee` is a number and `'5900'` is a text; numbers are written without quotes",
    ),
    ("plan.id < 'a'", "1: error[type]: `plan.id` has no order; compare with `==`, `!=` or `in`"),
    ("account.status == 'activ'", "19: error[unknown-word]: `account.status` is never `activ`; did you mean `active`?"),
    (
        "account.status == 'nothing_like_it'",
        "19: error[unknown-word]: `account.status` is never `nothing_like_it`; "
        "it is one of `active`, `barred_out`, `suspended_arrears`, `suspended_request`, `lost`, `suspended_risk`, `pre_cancelled`, "
        "`cancelled`",
    ),
    ("account.status in ('active', 'closd')", "19: error[unknown-word]: `account.status` is never `closd`; did you mean `lost`?"),
    ("account.status == plan.id", "19: error[type]: `account.status` is an enumeration and `plan.id` is a text"),
    (
        "account.status == custom.band",
        "19: error[type]: `account.status` is an enumeration and `custom.band` is an enumeration; "
        "enumerations that share no word are never equal",
    ),
    ("custom.ok == true", "1: error[type]: `custom.ok` is already a condition; write it alone, or with `not`"),
    ("billing.total > 3", "17: error[type]: `billing.total` is a series and `3` is a number; use last(), mean() or total()"),
    ("billing.total + 1 > 3", "1: error[type]: `billing.total` is a series, not a number; use last(), mean() or total()"),
    ("services.held == 'a'", "18: error[type]: `services.held` is a set of text and `'a'` is a text; write `'word' in the_set`"),
    ("contract.promo_end > 'tomorrow'", "22: error[type]: `tomorrow` is not a date; write it as '2026-11-22'"),
    ("contract.promo_end in ('2026-13-01',)", "23: error[type]: `2026-13-01` is not a date; write it as '2026-11-22'"),
    ("contract.promo_end == 5", "23: error[type]: `contract.promo_end` is a date and `5` is a number"),
    ("'a' in plan.id", "8: error[type]: `plan.id` is a text, not a set or a list; as in `x in ('a', 'b')`"),
    ("plan.monthly_fee in ('a',)", "1: error[type]: `plan.monthly_fee` is a number, the list holds text"),
    ("plan.monthly_fee in services.held", "1: error[type]: `plan.monthly_fee` is a number; a set holds text"),
    ("'read' in custom.tags", "1: error[unknown-word]: `custom.tags` never holds `read`; did you mean `red`?"),
    (
        "'red' in custom.tags and overlap(custom.tags, ('red', 'blu'))",
        "47: error[unknown-word]: `custom.tags` never holds `blu`; did you mean `blue`?",
    ),
    ("plan.id in ('a', 5)", "12: error[type]: a list holds literals of one kind"),
    ("plan.monthly_fee > 1000000000001", "20: error[number-too-large]: `1000000000001` is larger than 10^12"),
    ("plan.monthly_fee > 1e400", "20: error[number-too-large]: `inf` is larger than 10^12"),
    (
        "plan.monthly_fee * plan.min_commitment > 1",
        "1: error[number-too-large]: `plan.monthly_fee * plan.min_commitment` can reach 1e+24, more than 2^53; "
        "two large figures are divided or compared, not multiplied",
    ),
    ("plan.monthly_fee", "1: error[type]: `plan.monthly_fee` is a number, not a condition; compare it, as in `… > 0`"),
    ("plan.id", "1: error[type]: `plan.id` is a text, not a condition"),
    ("account.status", "1: error[type]: `account.status` is an enumeration, not a condition; compare it with one of its words"),
    ("custom.ok and plan.monthly_fee", "15: error[type]: `plan.monthly_fee` is a number, not a condition; compare it, as in `… > 0`"),
    ("not plan.id", "5: error[type]: `plan.id` is a text, not a condition"),
    ("custom.ok + 1 > 1", "1: error[type]: `custom.ok` is a condition, not a number"),
    ("-custom.ok > 1", "2: error[type]: `custom.ok` is a condition, not a number"),
    ("events.complaint", "1: error[type]: `events.complaint` is a list of events; count it: `count(events.complaint, days=30) >= 1`"),
    (
        "count(events.complaint, days=0) > 0",
        "30: error[type]: `0` is not a whole number of days from 1 to 3,660; as in `count(events.complaint, days=90, same='topic') >= 2`",
    ),
    (
        "count(events.complaint, days=3661) > 0",
        "30: error[type]: `3661` is not a whole number of days from 1 to 3,660; "
        "as in `count(events.complaint, days=90, same='topic') >= 2`",
    ),
    (
        "count(events.complaint, days='3') > 0",
        "30: error[type]: `'3'` is not a whole number of days from 1 to 3,660; as in `count(events.complaint, days=90, same='topic') >= 2`",
    ),
    ("count(events.complaint, topic='biling') > 0", "31: error[unknown-word]: `topic` is never `biling`; did you mean `billing`?"),
    ("count(events.complaint, topic=3) > 0", "31: error[type]: `3` is a number, `topic` is an enumeration"),
    (
        "contacted(days=7, channel='smoke') > 0",
        "27: error[unknown-word]: `channel` is never `smoke`; "
        "it is one of `call_centre`, `robot`, `outbound_call`, `video_desk`, `app`, `web`, `sms_service`, `sms_marketing`, `shop`, "
        "`account_manager`, `field`, `social`, `email`",
    ),
    ("refused(action='x') > 0", "16: error[unknown-word]: `action` is never `x`; it is one of `roaming_pack`, `tariff_pack`, `thank_you`"),
    ("mean(billing.total, 0) > 0", "21: error[type]: `0` is not a whole number of cycles from 1 to 36; as in `mean(billing.total, 3)`"),
    ("mean(billing.total, 37) > 0", "21: error[type]: `37` is not a whole number of cycles from 1 to 36; as in `mean(billing.total, 3)`"),
    ("mean(billing.total, 1.5) > 0", "21: error[type]: `1.5` is not a whole number of cycles from 1 to 36; as in `mean(billing.total, 3)`"),
    (
        "change(billing.total, 36) > 0",
        "23: error[type]: `36` is not a whole number of cycles from 1 to 35; as in `change(billing.total, 3) >= 0.3`",
    ),
    ("falling(billing.total, 1)", "24: error[type]: `1` is not a whole number of cycles from 2 to 36; as in `falling(usage.data_mb, 3)`"),
    ("mean(plan.monthly_fee, 3) > 0", "6: error[type]: `plan.monthly_fee` is a number, not a series; as in `mean(billing.total, 3)`"),
    ("days_since(plan.id) > 0", "12: error[type]: `plan.id` is a text, not a date; as in `days_since(care.last_proactive_on) > 180`"),
    (
        "days_since('2026-01-01') > 0",
        "12: error[type]: `'2026-01-01'` is a text, not a date; as in `days_since(care.last_proactive_on) > 180`",
    ),
    ("known(5)", "7: error[type]: `5` is not a fact; as in `known(home.has_broadband)`"),
    ("known(param.floor)", "7: error[type]: `param.floor` is not a fact; as in `known(home.has_broadband)`"),
    ("level('tolls')", "1: error[type]: a level is compared; as in `level('x') >= 'high'`"),
    ("level('tolls') == 'hihg'", "19: error[unknown-word]: `tolls` has no level `hihg`; did you mean `high`?"),
    ("level('tolls') == 3", "19: error[type]: a level is compared with level words; `tolls` has `severe`, `high`, `watch`"),
    ("level('tolls') < 'high'", "1: error[type]: `level('tolls') < 'high'` can never hold or says too little; use `==`, `in` or `>=`"),
    ("level('tolls') > 'severe'", "1: error[type]: `level('tolls') > 'severe'` can never hold or says too little; use `==`, `in` or `>=`"),
    ("level('tolls') in 'high'", "19: error[type]: a level is compared with level words; `tolls` has `severe`, `high`, `watch`"),
    (
        "at_least(0, custom.ok)",
        "10: error[type]: `0` is not a whole number of conditions from 1 to 1; "
        "as in `at_least(2, signal('service.bill_unclear'), signal('service.friction'))`",
    ),
    (
        "at_least(3, custom.ok, param.on)",
        "10: error[type]: `3` is not a whole number of conditions from 1 to 2; "
        "as in `at_least(2, signal('service.bill_unclear'), signal('service.friction'))`",
    ),
    (
        "at_least(plan.monthly_fee, custom.ok)",
        "10: error[type]: `plan.monthly_fee` is not a whole number of conditions from 1 to 1; "
        "as in `at_least(2, signal('service.bill_unclear'), signal('service.friction'))`",
    ),
    ("at_least(1, plan.monthly_fee)", "13: error[type]: `plan.monthly_fee` is a number, not a condition; compare it, as in `… > 0`"),
    (
        "overlap(services.held, plan.id)",
        "24: error[type]: `plan.id` is a text, not a set of text; as in `overlap(services.held, param.toll_packs)`",
    ),
    ("fee_on(plan.monthly_fee, 3) > 0", "8: error[type]: `plan.monthly_fee` is a number, not a plan's id; as in `fee_on('plan_59', 3)`"),
    ("bucket(plan.id) < 3", "8: error[type]: `plan.id` is not a text in quotes; as in `bucket('pilot_2026') < 10`"),
    ("min(plan.id) > 1", "5: error[type]: `plan.id` is a text, not a number"),
    ("first_known(plan.id) > 1", "13: error[type]: `plan.id` is a text, not a number"),
]

FORMS = [
    ("plan.id in ('a', plan.name)", "12: error[expression]: a list holds literals only; as in `('a', 'b')`"),
    ("plan.id in ()", "12: error[expression]: a list holds literals only; as in `('a', 'b')`"),
    ("plan.id == None", "12: error[expression]: `None` is not part of the rule language; write `known(x)` or `not known(x)`"),
    *(
        (
            f"plan.id == {word}",
            f"12: error[expression]: `{word}` is not part of the rule language; write `known(x)` or `not known(x)`",
        )
        for word in ("null", "nil", "NULL")
    ),
    ("plan.monthly_fee / 0 > 1", "1: error[expression]: `plan.monthly_fee / 0` is never known; nothing can be divided by 0"),
    ("plan.monthly_fee / -0.0 > 1", "1: error[expression]: `plan.monthly_fee / -0.0` is never known; nothing can be divided by 0"),
    ("plan.id in ('word')", "13: error[type]: `'word'` is a text, not a set or a list; for one word write `== 'word'`"),
    ("plan.id not in ('word')", "17: error[type]: `'word'` is a text, not a set or a list; for one word write `!= 'word'`"),
    ("custom.ok == TRUE", "14: error[unknown-name]: unknown name `TRUE`; write `true`"),
    ("AND(custom.ok, custom.ok)", "1: error[unknown-function]: unknown function `AND`; write `and` for `AND`"),
    ("plan.id is None", "1: error[expression]: `is` is not part of the rule language; write `==`"),
    ("plan.id is not 'a'", "1: error[expression]: `is` is not part of the rule language; write `!=`"),
    (
        "custom.ok if custom.ok else custom.ok",
        "1: error[expression]: `custom.ok if custom.ok else custom.ok` is not part of the rule language; "
        "use `and or not`, comparisons, `in`, `+ - * /`, names and functions",
    ),
    (
        "lambda: 1",
        "1: error[expression]: `lambda: 1` is not part of the rule language; "
        "use `and or not`, comparisons, `in`, `+ - * /`, names and functions",
    ),
    (
        "[x for x in services.held]",
        "1: error[expression]: `[x for x in services.held]` is not part of the rule language; "
        "use `and or not`, comparisons, `in`, `+ - * /`, names and functions",
    ),
    ("().__class__", "1: error[expression]: `().__class__` is not a name; names are written `section.field`"),
    (
        "f'{plan.id}' == 'a'",
        "1: error[expression]: `f'{plan.id}'` is not part of the rule language; "
        "use `and or not`, comparisons, `in`, `+ - * /`, names and functions",
    ),
    (
        "plan.monthly_fee ** 2 > 1",
        "1: error[expression]: `plan.monthly_fee ** 2` uses an operator outside the rule language; there are `+ - * /`",
    ),
    (
        "plan.monthly_fee // 2 > 1",
        "1: error[expression]: `plan.monthly_fee // 2` uses an operator outside the rule language; there are `+ - * /`",
    ),
    (
        "plan.monthly_fee % 2 > 1",
        "1: error[expression]: `plan.monthly_fee % 2` uses an operator outside the rule language; there are `+ - * /`",
    ),
    (
        "plan.monthly_fee[0] > 1",
        "1: error[expression]: `plan.monthly_fee[0]` is not part of the rule language; "
        "use `and or not`, comparisons, `in`, `+ - * /`, names and functions",
    ),
    (
        "(x := 3) > 1",
        "2: error[expression]: `(x := 3)` is not part of the rule language; "
        "use `and or not`, comparisons, `in`, `+ - * /`, names and functions",
    ),
    ("plan.monthly_fee > 1j", "20: error[expression]: `1j` is not a number, a text or a truth value"),
    ("plan.id == b'a'", "12: error[expression]: `b'a'` is not a number, a text or a truth value"),
    ("plan.id == ...", "12: error[expression]: `...` is not a number, a text or a truth value"),
    (
        "+plan.monthly_fee > 1",
        "1: error[expression]: `+plan.monthly_fee` is not part of the rule language; "
        "use `and or not`, comparisons, `in`, `+ - * /`, names and functions",
    ),
    ("count(events.fault, *services.held) > 0", "1: error[expression]: `*` is not part of the rule language"),
    ("count(events.fault, **services.held) > 0", "1: error[expression]: `*` is not part of the rule language"),
    ("signal(plan.id)", "1: error[expression]: `signal(plan.id)` takes one signal id in quotes; as in `signal('four_high.tariff')`"),
    (
        "signal('tolls', 'fault')",
        "1: error[expression]: `signal('tolls', 'fault')` takes one signal id in quotes; as in `signal('four_high.tariff')`",
    ),
    ("'high' == level('tolls')", "11: error[expression]: write the level first; as in `level('x') >= 'high'`"),
]

ARGUMENTS = [
    ("count(events.complaint, day=3) > 0", "25: error[arguments]: `count` has no filter `day` here; did you mean `days`?"),
    ("count(events.complaint, days=3, days=4) > 0", "33: error[arguments]: `days` is given twice"),
    ("contacted() > 0", "1: error[arguments]: `contacted()` needs `days=`; as in `contacted(days=7, channel='sms_marketing') < 1`"),
    (
        "contacted(days=7, colour='red') > 0",
        "19: error[arguments]: `contacted` has no filter `colour` here; there are `action`, `category`, `kind`, `channel`, `days`",
    ),
    ("contacted(7) > 0", "1: error[arguments]: `contacted(7)` has 1 argument; as in `contacted(days=7, channel='sms_marketing') < 1`"),
    ("mean(billing.total) > 0", "1: error[arguments]: `mean(billing.total)` has 1 argument; as in `mean(billing.total, 3)`"),
    ("mean(billing.total, n=3) > 0", "1: error[arguments]: `mean(billing.total, n=3)` has 1 argument; as in `mean(billing.total, 3)`"),
    ("last(billing.total, 3) > 0", "1: error[arguments]: `last(billing.total, 3)` has 2 arguments; as in `last(billing.total)`"),
    (
        "at_least(1)",
        "1: error[arguments]: `at_least(1)` has 1 argument; "
        "as in `at_least(2, signal('service.bill_unclear'), signal('service.friction'))`",
    ),
    (
        "overlap(services.held) ",
        "1: error[arguments]: `overlap(services.held)` has 1 argument; as in `overlap(services.held, param.toll_packs)`",
    ),
    ("best_fee() > 0", "1: error[arguments]: `best_fee()` has no arguments; as in `plan.min_commitment >= 1.5 * best_fee(3)`"),
    ("min() > 1", "1: error[arguments]: `min()` has no arguments; as in `min(plan.data_mb, 10240)`"),
    ("abs(1, 2) > 1", "1: error[arguments]: `abs(1, 2)` has 2 arguments; as in `abs(change(billing.total, 3)) >= 0.3`"),
]


@pytest.mark.parametrize(("written", "expected"), [*NAMES, *TYPES, *FORMS, *ARGUMENTS])
def test_one_mistake(written: str, expected: str) -> None:
    """One mistake is one problem, at its own column."""
    assert said(written, wanted="boolean") == [f"f.yaml:1:{expected}"]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("plan.id = 'a'", "write `==` to compare"),
        ("plan.monthly_fee > 3 && custom.ok", "write `and` for `&&`"),
        ("plan.monthly_fee > 3 || custom.ok", "write `or` for `||`"),
        ("!custom.ok", "write `not` for `!`"),
        ("plan.monthly_fee ≥ 3", "use half-width signs: , ( ) ' >= <="),
        ("mean（billing.total，3） > 1", "use half-width signs: , ( ) ' >= <="),
        ("plan.id == ‘a’", "use half-width signs: , ( ) ' >= <="),
        ("(plan.monthly_fee > 1", "the `(` is not closed"),
        ("plan.monthly_fee > 1)", "nothing is opened that this `)` would close"),
        ("plan.id == 'a", "a quote is not closed"),
        ("custom.ok AND plan.id == 'a'", "write `and` for `AND`"),
        ("custom.ok OR custom.ok", "write `or` for `OR`"),
        ("NOT custom.ok", "write `not` for `NOT`"),
        ("plan.monthly_fee => 3", "write `>=` for `=>`"),
        ("plan.monthly_fee =< 3", "write `<=` for `=<`"),
        ("plan.monthly_fee <> 3", "write `!=` for `<>`"),
        ("param.share > 10%", "write `0.1` for `10%`"),
        ("param.share > 12.5% and custom.ok", "write `0.125` for `12.5%`"),
        ("plan.monthly_fee > ¥15", "numbers stand without a unit, money in fen"),
        ("plan.data_mb > 5GB", "numbers stand without a unit, money in fen"),
        ("plan.monthly_fee > ５", "use half-width signs: , ( ) ' >= <="),
        ("plan.id == 'AND（' or", ""),
        ("count(events.fault, days=30) >", ""),
        ("plan.monthly_fee > 1 +", ""),
        ("import os", ""),
        ("x = 1; y = 2", "write `==` to compare"),
        ("", ""),
        ("*plan.id", ""),
        ("yield 1", ""),
    ],
)
def test_not_an_expression(written: str, hint: str) -> None:
    """What Python's grammar does not read either is shown whole, with what was probably meant."""
    (problem,) = said(written)
    place, _, rest = problem.partition(" ")
    assert place.startswith("f.yaml:1:")
    end = f"; {hint}" if hint else ""
    assert rest == f"error[syntax]: `{written}` is not an expression of the rule language{end}"


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u200b"])
def test_odd_spaces(space: str) -> None:
    """A space that is none, or one that nobody sees, is named."""
    assert said(f"custom.ok{space} and custom.ok") == [
        "f.yaml:1:10: error[syntax]: `custom.ok\ufffd and custom.ok` is not an expression of the rule language; "
        f"U+{ord(space):04X} is not a plain space; type the space again"
    ]


class TestBounds:
    @pytest.mark.parametrize(
        ("written", "code"),
        [
            ("a" * (LONGEST_EXPRESSION + 1), "expression-too-long"),
            ("1+" * 50_000 + "1", "expression-too-long"),
            ("not " * 41 + "custom.ok", "expression-too-deep"),
            ("(" * 60 + "1" + ")" * 60, "type"),
            ("[" * 150 + "1" + "]" * 150, "expression-too-deep"),
            ("[0 for x in " * 150 + "[1]" + "]" * 150, "expression-too-deep"),
            ("lambda:" * 200 + "1", "expression-too-deep"),
            ("-" * 1_000 + "1", "expression-too-deep"),
            ("a" + ".a" * 900, "expression-too-deep"),
            ("f(" * 180 + ")" * 180, "expression-too-deep"),
            ("1 if 1 else " * 150 + "1", "expression-too-deep"),
            ("1" + "+1" * 900, "expression-too-deep"),
            ("9" * 1_900 + " > 1", "number-too-large"),
            ("plan.id == 'a\\\nb'", "expression"),
            ("custom.ok\nand custom.ok", "expression"),
            ("custom.ok\rand custom.ok", "expression"),
            ("plan.id == '\\x07'", "expression"),
            ("plan.id == '\\ud800'", "expression"),
            ("plan.id == '\ud800'", "syntax"),
            ("x\0y", "syntax"),
            ("(" * 900 + ")" * 900, "syntax"),
        ],
    )
    def test_refused(self, written: str, code: str) -> None:
        """Text that is too long, too deep or not text at all is refused, whatever else it is."""
        (problem,) = said(written, wanted="boolean")
        assert f"error[{code}]: " in problem
        assert len(problem) < 500

    def test_nothing_is_executed(self, tmp_path: Path) -> None:
        """Text that tries to call or import something is only read."""
        target = tmp_path / "touched"
        for written in (
            f"__import__('pathlib').Path('{target}').touch()",
            f"open('{target}', 'w')",
            f"[open('{target}', 'w') for x in (1,)]",
            f"(lambda: open('{target}', 'w'))()",
            f'f\'{{open("{target}", "w")}}\'',
            f"().__class__.__base__.__subclasses__()[0]('{target}')",
            f"count(open('{target}', 'w'))",
        ):
            assert said(written)
        assert not target.exists()


class TestSeveral:
    def test_all_at_once(self) -> None:
        """Mistakes in different parts of an expression are told together, from left to right."""
        assert said(
            "plan.monthly_fe > 1 and account.status == 'activ' and (mean(billing.totl, 40) > 1 or not plan.id)", wanted="boolean"
        ) == [
            "f.yaml:1:1: error[unknown-name]: unknown name `plan.monthly_fe`; did you mean `plan.monthly_fee`?",
            "f.yaml:1:43: error[unknown-word]: `account.status` is never `activ`; did you mean `active`?",
            "f.yaml:1:61: error[unknown-name]: unknown name `billing.totl`; did you mean `billing.total`?",
            "f.yaml:1:75: error[type]: `40` is not a whole number of cycles from 1 to 36; as in `mean(billing.total, 3)`",
            "f.yaml:1:90: error[type]: `plan.id` is a text, not a condition",
        ]

    def test_said_once(self) -> None:
        """The middle of a chain stands in two comparisons; what is wrong with it is told once."""
        assert said("0 < plan.monthly_fe < 9") == [
            "f.yaml:1:5: error[unknown-name]: unknown name `plan.monthly_fe`; did you mean `plan.monthly_fee`?"
        ]

    def test_not_for_others(self) -> None:
        """What rests on a name with a mistake of its own is not told again: there is no tree, and nothing new is wrong."""
        names = Names({"plan.id": Ref("plan.id", TEXT)}, broken=frozenset({"facts.a"}))
        assert parse("facts.a > 3 and facts.a == 'x'", Place(), names) == (None, [])
        assert [problem.code for problem in parse("facts.a > 3 and plan.ix == 'x'", Place(), names)[1]] == ["unknown-name"]


class TestPlaces:
    @pytest.mark.parametrize(
        ("written", "column"),
        [
            ("plan.monthy_fee > 1", 1),
            ("  plan.monthy_fee > 1", 3),
            ("'中文' == plan.id and plan.monthy_fee > 1", 21),
            ("  '中文' == plan.id and plan.monthy_fee > 1", 23),
            ("plan.id in ('𝕏', 'é') and plan.monthy_fee > 1", 27),
        ],
    )
    def test_columns_are_characters(self, written: str, column: int) -> None:
        """Columns count characters as an editor does, wherever the expression begins on its line."""
        _, (problem,) = parse(written, Place("rules/a.yaml", 7, 11), FACTS)
        assert (problem.place.file, problem.place.line, problem.place.column) == ("rules/a.yaml", 7, 10 + column)


class TestScopes:
    @pytest.mark.parametrize(
        "written", ["stage == 'warning'", "phase == 'rescue'", "moment == 'none'", "action.category == 'care'", "action.id != 'thank_you'"]
    )
    def test_gates_know(self, written: str) -> None:
        """From gates on, where the subscriber stands and what the action is are known."""
        assert said(written, GATES) == said(written, CONTACT) == []
        assert "error[scope]" in said(written, FACTS)[0]

    def test_clock(self) -> None:
        """The clock is for contact policy."""
        assert said("clock.time >= '09:00' and clock.weekday <= 5 and not clock.holiday", CONTACT) == []
        assert said("clock.time >= '25:00'", CONTACT) == ["f.yaml:1:15: error[type]: `25:00` is not a time of day; write it as '09:00'"]
        assert "error[scope]" in said("clock.weekday <= 5", GATES)[0]

    def test_port(self) -> None:
        """Port data is for guardrails and help with porting."""
        for written in ("port.state == 'applied'", "count(events.port_query, days=7) > 0", "known(events.port_query)"):
            assert "port data is for guardrails" in said(written, GATES)[0]
            assert said(written, SCOPES.guardrail()) == said(written, SCOPES.gate(port=True, tariff=False)) == []

    def test_tariff(self) -> None:
        """A fixed tariff's terms are known in the gates of its action."""
        assert said("tariff.fee < plan.monthly_fee", SCOPES.gate(port=False, tariff=True)) == []
        assert "error[scope]" in said("tariff.fee < plan.monthly_fee", GATES)[0]

    def test_worked_out(self) -> None:
        """What an action concedes, and its duty, are not known while they are worked out."""
        first = SCOPES.gate(port=False, tariff=False, worked_out=False)
        for written in ("action.concession <= 100", "action.duty == 'owed'"):
            assert said(written, GATES) == []
            assert "error[scope]" in said(written, first)[0]

    def test_patterns(self) -> None:
        """A pattern's joins know parameters and the attributes of their events, and nothing of the subscriber."""
        names = SCOPES.pattern({"fault": "fault", "complaint": "complaint"})
        assert said("fault.area == complaint.area and fault.days - complaint.days <= 7 and fault.at < complaint.at", names) == []
        assert "unknown-name" in said("plan.id == fault.case", names)[0]
        assert "error[scope]: `fee_on` may not be used here" in said("fee_on(fault.case, 3) > 1", names)[0]
        assert "error[scope]: `best_fee` may not be used here" in said("best_fee(3) > 1", names)[0]
        assert "unknown-name" in said("count(events.fault) > 1", names)[0]


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("plan.monthly_fe", ["plan.monthly_fee", "plan.id"], "did you mean `plan.monthly_fee`?"),
        ("monthly_fee", ["plan.monthly_fee", "billing.total"], "did you mean `plan.monthly_fee`?"),
        ("wholly different", ["plan.monthly_fee"], ""),
        ("x", [], ""),
    ],
)
def test_nearest(word: str, known: list[str], found: str) -> None:
    """The nearest name is offered when there is one near: by spelling, or by its last part."""
    assert nearest(word, known) == found
