"""The words of the pages that show a decision on record, in English and Chinese, and the punctuation of each."""

from __future__ import annotations

from app.engine.terms import Words
from app.engine.texts import Language

_words: Words = {
    "known": ("What was known", "当时已知"),
    "section": ("section", "数据类别"),
    "as of": ("as of", "数据时间"),
    "age": ("days old", "距决策天数"),
    "limit": ("days allowed", "有效天数"),
    "facts": ("facts", "数据项数"),
    "too old": ("too old", "已过期"),
    "contact": ("Could they be contacted", "能否触达"),
    "consent": ("consent", "授权"),
    "local time": ("local time", "当地时间"),
    "refusals": ("refusals", "拒绝记录"),
    "port-out": ("port-out", "携号转网"),
    "policy": ("Contact policy and guardrails, of the actions that came so far", "触达规则与合规底线核查（针对通过前序各关的动作）"),
    "clause": ("clause", "条款"),
    "permitted": ("permitted", "允许"),
    "kept out": ("kept out", "拦截"),
    "unknown": ("unknown", "未知"),
    "considered": ("Considered", "考虑过的动作"),
    "action": ("action", "动作"),
    "became": ("came to", "结论"),
    "why": ("because", "原因"),
    "outcomes": ("What came of it", "后续结果"),
    "order": ("Why in this order", "排序依据"),
    "score": ("score", "得分"),
    "apart": ("after the one above by", "排在上一项之后的依据"),
    "parts": ("propensity × value × relevance × lever", "意愿×价值×相关度×举措"),
    "minimal": ("Smallest changes that would have changed the list", "足以改变推荐的最小变化"),
    "then": ("then", "则推荐"),
    "none found": (
        "No change of a figure, a date or the day alone was found that would have.",
        "未找到仅凭数值、日期或等待天数的变化即可改变推荐的情形。",
    ),
    "nothing_to_move": (
        "Cannot be told, for the clause rests on no known figure, date or window ({0}): {1}",
        "无法给出（条款不涉及已知的数值、日期或时间窗口，共{0}项）：{1}",
    ),
    "no_effect": (
        "Cannot be told, for nothing that was tried let them through and changed the list ({0}): {1}",
        "无法给出（所试变化均不能使其通过并改变推荐，共{0}项）：{1}",
    ),
    "not_tried": ("Not tried, for others had used up the trials ({0}): {1}", "未作尝试（试算次数已用完，共{0}项）：{1}"),
    "protected": ("Protected attributes", "受保护属性"),
    "no influence": (
        "No influence: phase, list, tariffs and concession stay the same for every other value that was tried ({0}; {1} tried).",
        "无影响：逐一改变{0}，共试{1}次，阶段、推荐、资费和让利均不变。",
    ),
    "none given": ("None was known, so none had influence.", "当时未掌握任何受保护属性，无影响。"),
    "would differ": ("{0} = {1}: other {2}; the list would be {3}", "若{0}为{1}，则{2}不同；推荐将为{3}"),
    "not known": ("not known", "未知"),
    "allowed": ("Allowed by", "允许使用的依据"),
    "nothing": ("nothing", "无"),
    "limits": ("Limits of the campaign", "营销活动限额"),
    "goes out": ("goes out on day {0} of the run", "活动第{0}天执行"),
    "held": ("held: {0}", "暂缓：{0}"),
    "conversation": ("Conversation", "沟通过程"),
    "before": ("before", "上一步"),
    "after": ("after", "下一步"),
    "proof": ("Proof", "存证"),
    "waits": ("waits to be sealed", "等待封存"),
    "leaf": ("leaf {0}, sealed by the checkpoint of {1} leaves at {2}", "日志第{0}叶，由含{1}叶的检查点于{2}封存"),
    "erased": ("The person was erased. What the log covers remains.", "该用户数据已删除，仅保留存证部分。"),
    "elsewhere": ("for another phase or channel", "不属于当前阶段或渠道"),
    "asked": ("asked by", "请求方"),
    "pack": ("pack", "规则包"),
    "same answer": ("made again, the answer is the same to the byte", "重新计算，答复逐字节一致"),
    "other answer": ("made again, the answer differs: wanliu record replay", "重新计算，答复不一致：wanliu record replay"),
    "no clauses": ("nothing had to be checked", "无需核查"),
    "all permitted": ("permitted throughout ({0})", "均予允许（{0}条）"),
    "hours": ("permitted hours", "允许触达的时段"),
    "engine": ("engine {0}", "决策引擎 {0}"),
    "key": ("Idempotency-Key {0}", "幂等键：{0}"),
    "trace": ("trace {0}", "链路标识：{0}"),
    "step": ("{0} {1} by {2}", "{0}：{2}，{1}"),
    "from": (", in force from {0}", "，自{0}起生效"),
    "actions": ("list", "推荐"),
    "phase": ("phase", "阶段"),
    "tariffs": ("tariffs", "资费"),
    "concession": ("concession", "让利"),
    "all": ("all of them", "全部受保护属性"),
}


def say(name: str, language: Language, *given: object) -> str:
    """One of the pages' words."""
    return _words[name][language == "zh"].format(*given)


def named(name: str, value: str, language: Language) -> str:
    """A name and its value."""
    return f"{name}：{value}" if language == "zh" else f"{name}: {value}"


def enclosed(text: str, more: str, language: Language) -> str:
    """A text with more in brackets, where there is more."""
    return text if not more else f"{text}（{more}）" if language == "zh" else f"{text} ({more})"


def beside(*parts: str, language: Language) -> str:
    """Parts of one statement; empty ones are left out."""
    return ("，" if language == "zh" else ", ").join(filter(None, parts))
