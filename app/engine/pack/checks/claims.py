"""What no text may say: absolute claims, made-up urgency, a rival's name, an insult, a question for a code (DOMAIN 8)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from app.engine.texts import Language

_absolute_zh = (
    "最(?:好|佳|优(?!化)|便宜|划算|实惠|省钱|省心|合算|强|先进|优质|权威|顶级|值得|受欢迎|适合|大(?:优惠|力度|折扣|让利))",
    "最低(?!消费|保底|限速|要求|限度|年龄|配置|充值|额度)",
    "(?:行业|业界|国内|世界|全球|全国|全省|全市|排名|销量|市场|质量|口碑|份额|满意度)第一|第一(?![，、：；]|次|期|步|时间|个|条|章|季|年|月|天|笔|档|位|项|件|轮|批|款|张|遍|句|分钟|方|行|栏|页|周|日|账)",
    "性价比(?:最|超)高|唯一(?!标识|编号|码)",
    "全网(?!通|络)",
    "独家|顶级|极致|史上|国家级|世界级|全球领先|行业领先|绝无仅有|百分之?百|万无一失|零风险|包您满意|永久免费|终身免费",
)
_absolute_en = (
    r"(?:the|our|your|very) best\b(?![ -](?:time|way|moment|number|person|day|hour|thing|tariffs|we can|you can|to reach|to call))",
    r"best(?:-| )(?:ever|price|prices|deal|deals|offer|offers|plan|plans|value|network|tariff(?!s)|rate|rates|choice|service)\b",
    r"(?:cheapest|lowest(?! level)|unbeatable|unrivalled|unrivaled|unmatched|(?<!cannot )(?<!can't )(?<!not )guarantee[ds]?)\b",
    r"(?:number one|no\. ?1|risk[- ]free)\b",
    r"100 ?% (?:satisfaction|free|safe|secure|reliable)\b",
    r"(?:the only (?:operator|network|plan|provider|carrier|one (?:that|who) can)|fastest|world[- ]class|perfect for everyone)\b",
)
_urgency_zh = (
    "仅限今[日天]|今[日天]截止|限今[日天]|最后(?:机会|名额|[一二三两0-9]+(?:小时|天)(?![是为前：]))|(?:马上|立即|速|快)抢(?![修险救通占])|抢购",
    "秒杀|限时(?!长)|手慢无|过期不候|错过(?:不再|就没|再等|后悔)",
    "机不可失|不容错过|不要错过|别错过|(?:赶快|赶紧|抓紧)(?:来|办|订|抢|下单|参加|领)|仅剩(?:最后|[0-9一二三四五]+个?(?:名额|席|份|台|套|位))|所剩不多|名额有限|数量有限|先到先得|倒计时|再不办|火爆",
)
_urgency_en = (
    r"(?:last chance|(?<!no )hurry|act (?:now|fast|today)|limited[- ]time|limited offer)\b",
    r"(?:while (?:stocks?|supplies) lasts?|final (?:hours|days|call)|don['’]t miss)\b",
    r"(?:(?:today|this week|this weekend|tonight) only|only (?:today|now|this week|tonight|until midnight|[0-9]+ left|a few left))\b",
    r"(?:before it(?:'s|’s| is) (?:gone|too late)|time is running out|selling (?:out )?fast)\b",
    r"(?:first come,? first served|once[- ]in[- ]a[- ]lifetime|(?:offer|sale|deal) ends (?:today|tonight))\b",
)
_rivals_zh = (
    "中国移动|中国电信|中国联通|中国广电|(?<![互物关])联通(?!性)|中移动|移动公司|电信公司|香港移动通讯|和记电讯|数码通|中华电信|台湾大哥大|远传电信",
    "小米移动|蜗牛移动|阿里通信|京东通信|分享通信|沃达丰|德国电信|威瑞森",
)
_rivals_en = (
    r"(?:China (?:Mobile|Telecom|Unicom|Broadnet)|Unicom|Vodafone|T-Mobile|Verizon|AT&T)\b",
    r"(?:Deutsche Telekom|Telef[oó]nica|Movistar|Bouygues|SFR|Swisscom)\b",
    r"(?:giffgaff|Lebara|Lycamobile|Telenor|Telia|Proximus|KPN)\b",
    r"(?:Wind Tre|Mint Mobile|Cricket Wireless|Xfinity Mobile|US Cellular|SmarTone|Sky Mobile)\b",
    r"(?:Orange|Three|EE|O2|BT)(?='s (?:network|plan|price|offer)| (?:charges|customers|network))",
)
_insults_zh = (
    "低价值|低(?:质量?|端)(?:客户|用户)|劣质(?:客户|用户)|垃圾(?:客户|用户)|羊毛党|薅羊毛|刁民|难缠|无理取闹|贪(?:小)?便宜|钉子户|老赖|穷人|没素质|胡搅蛮缠",
)
_insults_en = (
    r"low[- ](?:value|quality|worth|end) (?:customers?|subscribers?|users?|people|person)\b|low[- ]value\b",
    r"(?:deadbeats?|freeloaders?|troublemakers?|cheapskates?)\b",
    r"(?:nuisance (?:customers?|callers?)|(?:bad|problem|difficult|worthless|stupid) (?:customers?|subscribers?|users?|callers?))\b",
)

CODES = ("absolute-claim", "urgency", "insult")
"""What is looked for in every text beside rivals' names, in this order."""
HINTS: Mapping[str, str] = {
    "absolute-claim": "say the figure, or what it is compared with",
    "urgency": "say until what day it is on sale, or nothing",
    "rival-named": "speak of our own tariffs only",
    "insult": "say what is the matter, not what the person is worth",
    "asks-for-code": "the person types it in by themselves; say that nobody ever asks for it",
}


def _compiled(start: str, *words: tuple[str, ...]) -> re.Pattern[str]:
    groups = "|".join(f"(?P<c{index}>{'|'.join(group)})" for index, group in enumerate(words))
    return re.compile(f"{start}(?:{groups})")


_patterns: Mapping[Language, re.Pattern[str]] = {
    "zh": _compiled("", _absolute_zh, _urgency_zh, _insults_zh),
    "en": _compiled(r"\b", _absolute_en, _urgency_en, _insults_en),
}
_rivals: Mapping[Language, re.Pattern[str]] = {"zh": _compiled("", _rivals_zh), "en": _compiled(r"\b", _rivals_en)}

_sentences = re.compile(r"[^。！？；!?;.]+")
_code_zh = re.compile("验证码|[四六4-6]位数字|校验码|动态码|短信码|服务密码|取款密码|密码(?!重置|修改|找回|锁)")
_asked_zh = re.compile(
    "告诉|告知|报给|报一下|报下|提供(?!的)|读给|读一下|念给|念一下|念下|说一下|说给|发给我|发给客服|转发|报出|说出来|是多少|是什么"
)
_either_way_zh = re.compile("要不要|能不能|是不是|可不可以|方不方便|好不好|行不行|用不用")
_denied_zh = re.compile("请勿|不要|切勿|勿|不会|无需|不用|别|不得|绝不|从不|不能|不必|不应|不可|不需")
_code_en = re.compile("(?:[Cc]ode|[Dd]igits|CODE|[Pp]ass|PASS|PIN|[Pp]in|OTP|[Oo]tp)")
_asked_en = re.compile(
    r"\b(?:tell|give|read|say|share|provide|send|forward|confirm|spell)\b"
    r"(?: (?:me|us|out|aloud|it|your|the|that|this|a|one-time|verification|security|sms|text|login|\w+-digit|back)){0,6}"
    r" (?:codes?|passwords?|pins?|passcodes?|otps?|(?:four|five|six|[4-6])[ -]digits)\b",
    re.I,
)
_asked_too_en = re.compile(r"\bwhat (?:is|'s) (?:the|your|that) (?:[\w-]+ ){0,2}(?:code|password|pin|passcode|otp)\b", re.I)
_to_us_en = re.compile(r"\b(?:me|us)\b", re.I)
_denied_en = re.compile(r"\b(?:never|not|no|nobody|cannot|without)\b|n['’]t\b", re.I)


def claims(text: str, language: Language, own: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """Each forbidden wording of a text: its code and the words. `own` are the operator's own names, which no rival has."""
    for found in _patterns[language].finditer(text.lower() if language == "en" else text):
        yield CODES[int(str(found.lastgroup)[1:])], found[0]
    for found in _rivals[language].finditer(text):
        if not any(found[0] in name for name in own):
            yield "rival-named", found[0]
    asked = _asks_zh(text) if language == "zh" else _asks_en(text)
    if asked:
        yield "asks-for-code", asked


def _asks_zh(text: str) -> str:
    if not _code_zh.search(text):
        return ""
    for sentence in _sentences.findall(_either_way_zh.sub("", text)):
        asking = "，".join(clause for clause in re.split("[，、]", sentence) if not _denied_zh.search(clause))
        code = _code_zh.search(asking)
        if code and _asked_zh.search(asking):
            return code[0]
    return ""


def _asks_en(text: str) -> str:
    if not _code_en.search(text):
        return ""
    for sentence in _sentences.findall(text):
        asked = _asked_en.search(sentence) or _asked_too_en.search(sentence)
        if asked and not _denied_en.search(_clause_of(sentence, asked) if _to_us_en.search(asked[0]) else sentence):
            return asked[0]
    return ""


def _clause_of(sentence: str, found: re.Match[str]) -> str:
    """The clause that something was found in: `Do not hang up` denies nothing of what comes after it."""
    return sentence[sentence.rfind(",", 0, found.start()) + 1 : found.end()]
