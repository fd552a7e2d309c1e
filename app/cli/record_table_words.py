"""The words of tables about the record, in English and Chinese."""

from __future__ import annotations

from app.engine.terms import Words
from app.engine.texts import Language

_words: Words = {
    "nothing found": ("nothing found among {0}", "在{0}中未找到"),
    "id and time": ("id, time", "编号、时间"),
    "what": ("what", "内容"),
    "by": ("by", "操作方"),
    "searched": ("{0} searched; what is sealed later was not", "已检索{0}，其后封存的未检索"),
    "more": ("more: --cursor {0}", "下一页：--cursor {0}"),
    "archived": ("archived", "已归档"),
    "nothing because": ("nothing: {0}", "无推荐：{0}"),
    "whom": ("subject {0}", "主体{0}"),
    "taken back": ("taken back", "已撤回"),
    "may go out": ("may go out", "可以发送"),
    "kept back": ("kept back", "不得发送"),
    "replaced": ("{0} in place of {1}", "{0}，替换{1}"),
    "from": ("from {0}", "自{0}起生效"),
    "same_bytes": ("same, to the byte", "逐字节一致"),
    "same": ("same decision, by another version of the engine", "决策一致，引擎版本不同"),
    "differs": ("differs", "不一致"),
    "erased": ("the person was erased: there is nothing to decide again", "该用户数据已删除，无法重新计算"),
    "pack_unusable": ("the pack cannot be used by this version", "当前版本无法运行该规则包"),
    "engines": ("engine {0} then, {1} now · pack {2}", "当时引擎{0}，现行引擎{1} · 规则包 {2}"),
    "differs in": ("Differs in", "差异"),
    "where": ("where", "位置"),
    "on record": ("on record", "存证"),
    "now": ("now", "现在"),
    "and more": ("… {0} more: --json", "……另有{0}条：--json"),
    "with the pack": ("With the pack ", "若按规则包"),
    "colon": (": ", "："),
    "instead same": ("the same phase, list, tariffs and concessions", "阶段、推荐、资费和让利均相同"),
    "instead other": ("another decision", "决策不同"),
    "as decided": ("as decided", "当时决策"),
    "instead": ("instead", "改用后"),
    "otherwise": ("Actions that come out otherwise", "结论不同的动作"),
    "action": ("action", "动作"),
    "none": ("none", "无"),
    "proof id": ("id", "编号"),
    "proof leaf": ("leaf", "叶序号"),
    "proof leaf_hash": ("leaf hash", "叶哈希"),
    "proof size": ("size", "日志叶数"),
    "proof root": ("root", "根哈希"),
    "proof path": ("path", "验证路径"),
    "proof row": ("place in its part", "分批内序号"),
    "proof row leaf_hash": ("its leaf hash there", "分批内叶哈希"),
    "proof row root": ("root of the part", "分批根哈希"),
    "proof row path": ("path there", "分批内验证路径"),
    "checkpoint": ("Checkpoint", "检查点"),
    "how to check": (
        "The leaf hash is SHA-256 over a zero byte and the envelope (--json has it); with the path it gives the root.",
        "叶哈希为零字节与信封（见 --json）的 SHA-256，与验证路径逐级计算即得根哈希。",
    ),
    "days": ("{0} to {1}  ·  {2}", "{0}至{1}  ·  {2}"),
    "funnel": ("Funnel: how far actions came", "漏斗：动作到达的关卡"),
    "gate": ("gate", "关卡"),
    "cause": ("cause", "未推荐原因"),
    "actions": ("actions", "动作数"),
    "share": ("share", "占比"),
    "offered": ("offered", "已推荐"),
    "suppressions": ("Kept out by contact policy and guardrails", "触达规则与合规底线拦截"),
    "clause": ("clause", "条款"),
    "cap": ("cap", "频次"),
    "caps": ("frequency caps together", "频次上限合计"),
    "empty": ("Nothing on the list", "无推荐的决策"),
    "because": ("because", "原因"),
    "decisions": ("decisions", "决策数"),
    "groups": (
        "Offers and concessions by group, beside all others (95 % by Wilson; ratios plain; * fewer than 30 decisions)",
        "分组的推荐与让利，与其余用户对比（95% 置信区间按 Wilson 法；比值未作调整；*表示不足30次决策）",
    ),
    "pack": ("pack", "规则包"),
    "by group": ("by", "维度"),
    "group": ("group", "分组"),
    "with an offer": ("with an offer", "有营销推荐"),
    "ratio": ("ratio", "比值"),
    "conceded": ("conceded", "有让利"),
    "mean": ("mean", "均值"),
    "by tenure": ("tenure", "网龄"),
    "by age": ("age", "年龄段"),
    "by region": ("region", "地区"),
    "by tier": ("tier", "会员等级"),
    "by channel": ("channel", "渠道"),
    "agents": ("What agents did with the recommendation", "坐席对推荐的采纳"),
    "agent": ("agent", "坐席"),
    "nothing told": ("nothing told", "未反馈"),
    "told": ("told", "已反馈"),
    "first": ("first", "采纳首位"),
    "another": ("another", "采纳其他"),
    "override rate": ("override rate", "改选率"),
    "compared": ("{0} compared, {1}, {2}", "已比较{0}，{1}，{2}"),
    "unreadable": (
        "{0} could not be read: erased, or of a pack that this version refuses",
        "{0}次无法读取：用户已删除，或规则包无法由当前版本运行",
    ),
    "not all": ("not all decisions of these days were compared: --most", "未比较这些日期的全部决策，可调整 --most"),
    "pairs": ("Same conditions, different prices", "条件相同而价格不同"),
    "one": ("one", "甲"),
    "other": ("other", "乙"),
    "differ in": ("differ in", "差异项"),
}
CHANGES_MADE: Words = {
    "added": ("added", "新增"),
    "revoked": ("revoked", "吊销"),
    "removed": ("removed", "删除"),
    "secret": ("new secret", "更换密钥"),
}
"""What was done with a caller or a webhook."""
_counted: Words = {
    "leaf": ("{0} leaf|{0} leaves", "{0}条封存记录"),
    "decision": ("{0} decision|{0} decisions", "{0}次决策"),
    "alike": ("{0} group of people in the same conditions|{0} groups of people in the same conditions", "条件相同的人群{0}组"),
    "pair": ("{0} pair|{0} pairs", "价格不同的{0}对"),
}


def say(name: str, language: Language, *given: object) -> str:
    """One of the tables' words."""
    return _words[name][language == "zh"].format(*given)


def counted(what: str, number: int, language: Language) -> str:
    """So many of something."""
    english, chinese = _counted[what]
    one, many = english.split("|")
    return (chinese if language == "zh" else one if number == 1 else many).format(f"{number:,}")
