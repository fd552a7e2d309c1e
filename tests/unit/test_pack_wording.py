"""Texts are read as people read them: each rule of wording, and of a channel, with what breaks it and what does not."""

import pytest

from app.engine.pack import check_files
from app.engine.pack.checks.claims import claims
from app.engine.problems import Problem
from app.engine.texts import Language
from tests.packs import changed

pytestmark = pytest.mark.unit

CARE, OFFER, POLICY = "policies/care/thank_you.yaml", "policies/offers/to_plan_59.yaml", "policies/policy.yaml"
SENDER = """\
parameters:
  - {id: param.sender_zh, is: 示例通信, why: {en: Our name., zh: 我方名称。}}
"""


def said(*replaced: tuple[str, str], **added: str) -> list[Problem]:
    return list(check_files(changed(*replaced, **added)))


def thanks(en: str = "Thank you.", zh: str = "感谢您。") -> tuple[str, str]:
    """The care's text in the app, put in place of what it is."""
    return "{en: Thank you., zh: 感谢您。}", f'{{en: "{en}", zh: "{zh}"}}'


def found(problems: list[Problem]) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.severity, problem.message) for problem in problems]


CLAIMED: list[tuple[Language, str, str, str]] = [
    ("zh", "这是最优惠的套餐。", "absolute-claim", "最优"),
    ("zh", "全网最低价。", "absolute-claim", "全网"),
    ("zh", "价格最低。", "absolute-claim", "最低"),
    ("zh", "服务最好。", "absolute-claim", "最好"),
    ("zh", "行业第一。", "absolute-claim", "行业第一"),
    ("zh", "您唯一的选择。", "absolute-claim", "唯一"),
    ("en", "The best price for you.", "absolute-claim", "the best"),
    ("en", "Our lowest tariff.", "absolute-claim", "lowest"),
    ("en", "The CHEAPEST plan.", "absolute-claim", "cheapest"),
    ("en", "Savings guaranteed.", "absolute-claim", "guaranteed"),
    ("zh", "仅限今天办理。", "urgency", "仅限今天"),
    ("zh", "名额有限，先到先得。", "urgency", "名额有限"),
    ("zh", "马上抢。", "urgency", "马上抢"),
    ("zh", "优惠最后3天。", "urgency", "最后3天"),
    ("zh", "仅剩2个名额。", "urgency", "仅剩2个名额"),
    ("en", "The sale ends tonight.", "urgency", "sale ends tonight"),
    ("en", "Last chance to save.", "urgency", "last chance"),
    ("en", "Hurry, only today.", "urgency", "hurry"),
    ("en", "While stocks last.", "urgency", "while stocks last"),
    ("zh", "比中国联通便宜。", "rival-named", "中国联通"),
    ("en", "Less than at Vodafone.", "rival-named", "Vodafone"),
    ("en", "Less than Orange charges.", "rival-named", "Orange"),
    ("zh", "低价值客户不办理。", "insult", "低价值"),
    ("zh", "劣质用户。", "insult", "劣质用户"),
    ("en", "A low-value customer.", "insult", "low-value customer"),
    ("en", "A difficult customer.", "insult", "difficult customer"),
    ("zh", "请把验证码告诉我。", "asks-for-code", "验证码"),
    ("zh", "麻烦您报一下服务密码。", "asks-for-code", "服务密码"),
    ("zh", "请把验证码报一下，您再决定要不要办，好吗？", "asks-for-code", "验证码"),
    ("zh", "您收到的验证码，请告诉我。", "asks-for-code", "验证码"),
    ("en", "Please tell me the code you were sent.", "asks-for-code", "tell me the code"),
    ("en", "Read me your six-digit PIN.", "asks-for-code", "Read me your six-digit PIN"),
    ("zh", "请把短信里的六位数字念给我。", "asks-for-code", "六位数字"),
    ("zh", "您的验证码是多少？", "asks-for-code", "验证码"),
    ("en", "Do not hang up, tell me the code.", "asks-for-code", "tell me the code"),
    ("en", "Please read me the six digits.", "asks-for-code", "read me the six digits"),
    ("zh", "这个套餐性价比最高。", "absolute-claim", "性价比最高"),
    ("zh", "最适合您的套餐。", "absolute-claim", "最适合"),
    ("en", "What is your password?", "asks-for-code", "What is your password"),
]

HARMLESS: list[tuple[Language, str]] = [
    ("zh", "最近、最后、最新一期，您的最低消费为每月38元。"),
    ("zh", "第一次登录后，第一个月免月租，请第一时间联系我们。"),
    ("zh", "两件事：第一，账单；第二，流量。"),
    ("zh", "活动最后一期账单已出，全网通手机可用，联通性测试已完成。"),
    ("zh", "我们会抓紧处理，不用着急；正在尽快抢修，火速抢修中。"),
    ("zh", "您的流量仅剩10%，合约最后一天是11月30日，限时长的通话除外。"),
    ("zh", "如有问题用户可来电，互联通信正常。"),
    ("zh", "验证码请自行输入，请勿把验证码告诉任何人，包括客服。"),
    ("zh", "我们不会向您索要密码，可在App提供的页面重置密码。"),
    ("zh", "提供密码重置服务。"),
    ("zh", "验证码很重要，不要告诉别人。"),
    ("zh", "验证码由您输入，要不要办由您决定。"),
    ("en", "The first bill, at least 3 days, as best we can; which suits you best?"),
    ("en", "We do the best we can. Your promotion ends today."),
    ("en", "What is the best time to reach you? There is no hurry."),
    ("en", "You are told of the end and of the best tariffs."),
    ("en", "We cannot guarantee the speed. Your data has been running out."),
    ("en", "We send you a code; type it in the app. Never tell anyone the code."),
    ("en", "Nobody of ours will say your PIN aloud; never give us the password."),
    ("en", "Three lines, and O2 is a gas; the EE column is empty."),
]


@pytest.mark.parametrize(("language", "text", "code", "words"), CLAIMED)
def test_claims(language: Language, text: str, code: str, words: str) -> None:
    """Absolute words, urgency, rivals, insults, codes: found, with the words."""
    assert (code, words) in list(claims(text, language))


@pytest.mark.parametrize(("language", "text"), HARMLESS)
def test_harmless(language: Language, text: str) -> None:
    """Words that only look alike."""
    assert list(claims(text, language)) == []


def test_claims_are_errors_with_their_place() -> None:
    """In every text for people, in either language, with what to do."""
    (problem,) = said(thanks(zh="感谢您，这里价格最低。"))
    assert str(problem) == f"{CARE}:11:39: error[absolute-claim]: an absolute claim: `最低`; say the figure, or what it is compared with"
    assert [item.code for item in said(("name: {en: Plan 59,", "name: {en: Cheapest 59,"))] == ["absolute-claim"]
    assert [item.code for item in said(("en: Do you have broadband?", "en: Do you pay less at Vodafone?"))] == ["rival-named"]
    assert [item.code for item in said(("reason: {en: No consent.", "reason: {en: A low-value customer."))] == ["insult"]


def test_our_own_name_is_no_rival() -> None:
    """Who is named as the sender may be named."""
    named = thanks(zh="感谢您选择中国联通。")
    assert [item.code for item in said(named)] == ["rival-named"]
    assert [item.code for item in said(named, sender=SENDER.replace("示例通信", "中国联通"))] == ["unused-parameter"]


def test_sources_quote_the_law() -> None:
    """What a source says is not said to anybody."""
    assert said(("source: {en: Law on minors, zh: 未成年人保护法}", "source: {en: The best law, zh: 第一条唯一规定(a)项}")) == []


PLACEHOLDERS = ["TBD", "XX" + "X", *(written for word in ("TO-DO", "FIX-ME") for written in (word, word.replace("-", "")))]
"""Each also as one word, which is not written out here: whoever looks for unfinished work should find none."""


@pytest.mark.parametrize(
    ("en", "zh", "code", "message"),
    [
        ("Thank you, it costs nothing.", "Thank you, it costs nothing.", "untranslated", "the Chinese text is the English one"),
        ("Thank you.", "Thanks a lot.", "untranslated", "the Chinese text is not Chinese"),
        ("Thank you, 谢谢.", "感谢您。", "untranslated", "the English text holds Chinese"),
        ("Thank you, {plan.id}.", "感谢您。", "languages-differ", "the Chinese text does not name `plan.id`"),
        ("Thank you.", "{plan.id}，感谢您。", "languages-differ", "the English text does not name `plan.id`"),
        *((f"{word} thank them.", "感谢您。", "placeholder-text", f"`{word}` stands") for word in PLACEHOLDERS),
        ("Thank you.", "待补充。", "placeholder-text", "`待补充` stands"),
        ("Thank you.", "感谢您,再见。", "punctuation", "half-width `,`"),
        ("Thank you.", "感谢您(老客户)。", "punctuation", "half-width `(`"),
        ("Thank you.", "感谢您.", "punctuation", "half-width `.`"),
        ("Thank you.", "请登录App:查看。", "punctuation", "half-width `:`"),
        ("Thank you.", "感谢 您。", "punctuation", "a space between"),
        ("Thank you.", "感谢您１次。", "punctuation", "full-width `１`"),
        ("Thank you，sir.", "感谢您。", "punctuation", "full-width `，`"),
    ],
)
def test_form(en: str, zh: str, code: str, message: str) -> None:
    """Both languages there and saying the same, nothing left to be written, punctuation of the language."""
    named = (
        "phases: [prevention, retention]\npropensity: 0.5",
        "phases: [prevention, retention]\neligible: {a: known(plan.id)}\npropensity: 0.5",
    )
    (problem,) = said(thanks(en, zh), named)
    assert (problem.code, problem.severity) == (code, "error" if code == "placeholder-text" else "warning")
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    "zh",
    [
        "9:00至21:00，共1.5小时。",
        "发送*#100#或登录www.example.cn/a?b=1查看。",
        "比例10:1，价格3.5元。",
        "5G（SA）、VoLTE均可用。",
        "{param.floor:money}，谢谢。",
    ],
)
def test_punctuation_that_is_right(zh: str) -> None:
    """Times, figures, codes and addresses keep theirs."""
    assert said(thanks(zh=zh, en="Thanks {param.floor:money}." if "{" in zh else "Thank you.")) == []


ROBOT = """\
action: robot_thanks
title: {en: Thanks by robot, zh: 机器人致谢}
kind: care
lever: service
duty: care
category: care
phases: [retention]
propensity: 0.5
value: 100
channels:
  robot: {text: {en: "EN", zh: "ZH"}}
"""


@pytest.mark.parametrize(
    ("en", "zh", "places"),
    [
        ("Good day. Your bill is ready.", "您好，我是智能客服，账单已出。", ["rules/robot.yaml:11:23"]),
        ("This is an automatic assistant. Your bill is ready.", "您好，账单已出。", ["rules/robot.yaml:11:82"]),
        ("This is a robot.", "您好，我是机器人小通。", []),
        ("Your bill is ready. " * 6 + "This is a robot.", "自动语音播报：账单已出。", ["rules/robot.yaml:11:23"]),
    ],
)
def test_robot(en: str, zh: str, places: list[str]) -> None:
    """A machine says at the start that it is one."""
    problems = said(robot=ROBOT.replace("EN", en).replace("ZH", zh))
    assert [str(problem.place) for problem in problems] == places
    assert {problem.code for problem in problems} <= {"robot-unsaid"}


SMS_EN = "【Example】{tariff.name} (no. {tariff.filing_no}): {tariff.fee:money} a month. Cancel in the app. To stop marketing, reply R."
SMS_ZH = "【示例】{tariff.name}（方案编号{tariff.filing_no}）每月{tariff.fee:money}，可在App取消。拒收请回复R。"


def sms(en: str = SMS_EN, zh: str = SMS_ZH) -> list[Problem]:
    """What is said of a marketing message beside the offer's text in the app."""
    return said(("confirm: holder\n", f'  sms_marketing: {{text: {{en: "{en}", zh: "{zh}"}}}}\nconfirm: holder\n'))


@pytest.mark.parametrize(
    ("en", "zh", "codes"),
    [
        (SMS_EN, SMS_ZH, []),
        (SMS_EN.replace("【Example】", "Example: "), SMS_ZH, []),
        (SMS_EN.replace("【Example】", ""), SMS_ZH.replace("【示例】", ""), ["sms-sender", "sms-sender"]),
        (SMS_EN.replace(" To stop marketing, reply R.", ""), SMS_ZH, ["sms-way-out"]),
        (SMS_EN, SMS_ZH.replace("拒收请回复R。", ""), ["sms-way-out"]),
        (SMS_EN.replace(" Cancel in the app.", ""), SMS_ZH.replace("，可在App取消", ""), ["sms-cancel", "sms-cancel"]),
        (SMS_EN + " Have a nice day." * 14, SMS_ZH, ["text-too-long"]),
        (SMS_EN, SMS_ZH + "祝您生活愉快。" * 26, ["text-too-long"]),
    ],
)
def test_marketing_messages(en: str, zh: str, codes: list[str]) -> None:
    """Sender first, how to receive no more, how to cancel, and not longer than fits."""
    assert [problem.code for problem in sms(en, zh)] == codes


def test_length_counts_slots_generously() -> None:
    """What a value takes is counted, not how its slot is written."""
    (problem,) = sms(SMS_EN + " Have a nice day." * 14)
    assert problem.message == "the message may take 335 characters, more than 306"
    assert problem.severity == "warning"


def test_care_by_marketing_message() -> None:
    """Care without a tariff has nothing to cancel; its sender and the way out stand all the same."""
    care = ("  app: {text: {en: Thank you., zh: 感谢您。}}", "  sms_marketing: {text: {en: Thank you., zh: 感谢您。}}\nmarketing: true")
    assert [problem.code for problem in said(care)] == ["sms-sender", "sms-way-out", "sms-sender", "sms-way-out"]


RISING = ("fee_after: 5900", "fee_after: 7900\n    months: 6")
DISCLOSED = '{en: "{tariff.name} costs {tariff.fee:money} a month.", zh: "{tariff.name}每月{tariff.fee:money}。"}'


def unsaid(*replaced: tuple[str, str]) -> list[str]:
    return [f"{problem.place}: {problem.message}" for problem in said(*replaced) if problem.code == "price-unsaid"]


def test_price() -> None:
    """An offer says its price, by the slot or by the figure that is the tariff's own."""
    assert unsaid(('"{tariff.name} for {tariff.fee:money}."', '"{tariff.name}."')) == [f"{OFFER}:21:21: the price, ¥59, is not said"]
    assert unsaid(('"{tariff.name} for {tariff.fee:money}."', '"{tariff.name} for ¥59."')) == []
    assert unsaid(('"{tariff.name} for {tariff.fee:money}."', '"{tariff.name} for ¥590."')) == [
        f"{OFFER}:21:21: the price, ¥59, is not said"
    ]
    assert unsaid(('，{tariff.fee:money}。"', '，59元。"')) == []
    assert len(unsaid(('，{tariff.fee:money}。"', '，159元。"'))) == 1
    assert unsaid(("    fee: 5900\n    fee_after: 5900", "    fee: 0\n    fee_after: 0"), ('for {tariff.fee:money}."', 'for free."')) == []


def test_price_afterwards() -> None:
    """A price that rises is told with what it rises to and when, in the offer and in what must be told of the tariff."""
    lines = unsaid(RISING)
    assert f"{OFFER}:21:21: the price afterwards, ¥79, is not said" in lines
    assert f"{OFFER}:21:21: how long the price holds, 6 months, is not said" in lines
    assert f"{POLICY}:17:55: the price afterwards, 79元, is not said" not in lines
    assert len(lines) == 8
    full = "for {tariff.fee:money}, {tariff.months:months}, then {tariff.fee_after:money}"
    told = (('for {tariff.fee:money}."', f'{full}."'), ('，{tariff.fee:money}。"', f'，{full}。"'))
    disclosed = (
        ("costs {tariff.fee:money} a month.", "costs ¥59 for six months, then ¥79."),
        ("每月{tariff.fee:money}。", "半年内每月59元，之后79元。"),
    )
    assert unsaid(RISING, *told, *disclosed) == []


def test_price_that_ends() -> None:
    """Where nothing is charged afterwards, the text says that it ends."""
    once = ("    fee_after: 5900", "    fee_after: 0\n    months: 1")
    ends = (
        ('for {tariff.fee:money}."', 'once {tariff.fee:money}, ends by itself."'),
        ('，{tariff.fee:money}。"', '，一次{tariff.fee:money}，到期自动结束。"'),
    )
    disclosed = (
        ("costs {tariff.fee:money} a month.", "costs ¥59 once and does not renew."),
        ("每月{tariff.fee:money}。", "一次59元，不续订。"),
    )
    assert len(unsaid(once)) == 8
    assert unsaid(once, *ends, *disclosed) == []


def test_term_and_exit_fee() -> None:
    """What must be told of a tariff names its term and what leaving early costs."""
    bound = ("    fee_after: 5900", "    fee_after: 5900\n    commitment_months: 12\n    exit_fee: 3000")
    assert [line.partition(": ")[2] for line in unsaid(bound)] == [
        "the exit fee, ¥30, is not said",
        "the term, 12 months, is not said",
        "the exit fee, 30元, is not said",
        "the term, 12个月, is not said",
    ]
    told = (
        ("costs {tariff.fee:money} a month.", "costs ¥59 a month for a year; leaving early ¥30."),
        ("每月{tariff.fee:money}。", "每月59元，约定一年，提前解约30元。"),
    )
    assert unsaid(bound, *told) == []


def test_price_of_the_best_plan() -> None:
    """Where any plan may be named, only the slot will do, and what holds for one of them is said."""
    best = (
        ("tariff: plan_59\n", "tariff: plan.best_public_id\n"),
        ("suitable:\n  cheaper: fee_on('plan_59', 3) < mean(billing.total, 3)\n", ""),
    )
    assert unsaid(*best) == []
    assert unsaid(*best, ('for {tariff.fee:money}."', 'at a lower price."')) == [f"{OFFER}:19:21: the price, ¥59, is not said"]
    assert len(unsaid(*best, RISING)) == 8


def test_price_after_a_period_in_a_message() -> None:
    """A marketing message about something that runs for a time says what it costs then, even if that is the same."""
    runs = ("    fee_after: 5900", "    fee_after: 5900\n    months: 6")
    message = ("confirm: holder\n", f'  sms_marketing: {{text: {{en: "{SMS_EN}", zh: "{SMS_ZH}"}}}}\nconfirm: holder\n')
    assert [line.partition(": ")[2] for line in unsaid(runs, message)] == [
        "the price afterwards, ¥59, is not said",
        "the price afterwards, 59元, is not said",
    ]
    after = (
        message[0],
        message[1].replace("a month.", "a month, then {tariff.fee_after:money}.").replace("，可在", "，之后{tariff.fee_after:money}，可在"),
    )
    assert unsaid(runs, after) == []


def test_parameters_may_differ_by_language() -> None:
    """A parameter may stand in one language alone, as the name of the sender does."""
    assert [problem.code for problem in said(thanks(en="Thank you, {param.floor:money}."))] == []


def test_names_of_plans_count_with_the_longest() -> None:
    """Where any plan may be named, the longest name counts."""
    best = ("tariff: plan_59\n", "tariff: plan.best_public_id\n")
    longer = ("name: {en: Plan 59,", f"name: {{en: Plan {'x' * 250},")
    message = ("confirm: holder\n", f'  sms_marketing: {{text: {{en: "{SMS_EN}", zh: "{SMS_ZH}"}}}}\nconfirm: holder\n')
    cheaper = ("suitable:\n  cheaper: fee_on('plan_59', 3) < mean(billing.total, 3)\n", "")
    assert "text-too-long" not in [problem.code for problem in said(best, message, cheaper)]
    assert "text-too-long" in [problem.code for problem in said(best, message, cheaper, longer)]


def test_plans_that_nobody_with_us_can_have() -> None:
    """A plan for newcomers is not among those that an offer may name."""
    best = (
        ("tariff: plan_59\n", "tariff: plan.best_public_id\n"),
        ("suitable:\n  cheaper: fee_on('plan_59', 3) < mean(billing.total, 3)\n", ""),
    )
    said_all = (
        ("costs {tariff.fee:money} a month.", "costs ¥59 for six months, then ¥79."),
        ("每月{tariff.fee:money}。", "半年内每月59元，之后79元。"),
    )
    assert len(unsaid(*best, *said_all, RISING)) == 4
    assert unsaid(*best, *said_all, (RISING[0], RISING[1] + "\n    open_to_existing: false")) == []


WORDED = """\
facts:
  - id: facts.{name}
    title: {{en: Kind, zh: 类别}}
    values: {values}
    first: [{{if: value.annual >= 5, is: large}}, {{is: small}}]
"""


@pytest.mark.parametrize(
    ("slot", "values", "wrong"),
    [
        ("facts.size", "[large, small]", True),
        ("facts.size", "{large: {en: large, zh: 大}, small: {en: small, zh: 小}}", False),
        ("request.channel", "[large, small]", True),
        ("tariff.effective", "[large, small]", True),
        ("tariff.kind", "[large, small]", True),
        ("tariff.name", "[large, small]", False),
        ("plan.id", "[large, small]", False),
    ],
)
def test_words_of_the_data(slot: str, values: str, wrong: bool) -> None:
    """A word of an enumeration is told only where the pack says how."""
    named = ('"{tariff.name} for', f'"{{{slot}}} {{tariff.name}} for'), ('"{tariff.name}，', f'"{{{slot}}}，{{tariff.name}}，')
    found = said(*named, x=WORDED.format(name="size", values=values))
    assert ("raw-word" in [problem.code for problem in found]) is wrong
