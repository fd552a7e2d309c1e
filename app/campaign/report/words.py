"""The words of a report in both languages. What the pack names has its own."""

from __future__ import annotations

from app.engine.terms import CAUSES, KEYS, LEVELS, Words, term
from app.engine.texts import Language

HELD: Words = {
    "capacity": ("no room left", "触达能力已满"),
    "budget": ("the budget is spent", "预算已用完"),
    "household": ("the household is contacted already", "同户已触达"),
    "brake": ("stopped for complaints", "投诉熔断"),
    "control": ("held out for comparison", "留作对照组"),
}
"""Why something that was decided is held back in this run."""

_WORDS: Words = {
    "report": ("Campaign report", "营销活动报告"),
    "run": ("Run of {}", "运行时间：{}"),
    "pack": ("Pack", "规则包"),
    "source": ("Read from", "数据来源"),
    "channel": ("Channel", "触点渠道"),
    "each_row": ("as each row says", "以各行为准"),
    "took": ("Took", "用时"),
    "per_second": ("{} subscribers a second", "每秒{}户"),
    "minutes": ("{} min {} s", "{}分{}秒"),
    "seconds": ("{} s", "{}秒"),
    "last_run": ("Compared with the run of {}", "对比上次运行：{}"),
    "first_run": ("The first run of this campaign: there is nothing to compare with yet.", "本活动首次运行，暂无可对比的数据。"),
    "another_pack": ("That run used another pack ({}).", "上次使用的是另一规则包（{}）。"),
    "contents": ("Contents", "目录"),
    # What stands in tables
    "subscribers": ("subscribers", "用户数"),
    "share": ("share", "占比"),
    "change": ("change (points)", "较上次（百分点）"),
    "change_rows": ("{} since last run", "较上次 {}"),
    "change_points": ("{} points since last run", "较上次 {} 个百分点"),
    "same": ("as in the last run", "与上次持平"),
    "up": ("up {}", "上升{}"),
    "down": ("down {}", "下降{}"),
    "pairs": ("times", "次数"),
    "offered": ("on a list", "进入清单"),
    "first": ("first", "排首位"),
    "later": ("further down", "排其后"),
    "concession": ("concession", "让利合计"),
    "rows": ("rows", "行数"),
    "new": ("new", "新增"),
    "more": ("{} more", "其余{}项"),
    "none": ("none in particular", "无特定时刻"),
    "drawn": ("as a bar", "图示"),
    # Sections
    "funnel": ("From file to contact", "从名单到触达"),
    "funnel.note": (
        "How many subscribers are left after each step. Every row that was read is either decided or rejected.",
        "每一步之后剩余的用户数。读取的每一行要么已决策，要么被拒收。",
    ),
    "funnel.head": ("step", "步骤"),
    "read": ("rows read", "读取行数"),
    "decided": ("decided", "已决策"),
    "rejected": ("rejected", "拒收"),
    "with_actions": ("with something to do", "有建议动作"),
    "nothing": ("nothing to propose", "无可推荐"),
    "going": ("go out within the limits", "限额内可触达"),
    "emptied": ("held altogether", "全部暂缓"),
    "with_signal": ("with at least one signal", "至少命中一个信号"),
    "not_personalised": ("refused personalisation", "拒绝个性化推荐"),
    "phases": ("Phases", "阶段"),
    "phases.note": ("How subscribers are to be treated. Each is in exactly one phase.", "对用户采取哪类举措。每位用户只归入一个阶段。"),
    "phases.head": ("phase", "阶段"),
    "stages": ("Lifecycle stages", "生命周期"),
    "stages.note": ("Where subscribers stand. Each is in exactly one stage.", "用户所处的时期。每位用户只归入一个时期。"),
    "stages.head": ("stage", "生命周期"),
    "moments": ("Moments of truth", "关键时刻"),
    "moments.note": (
        "What the contact is about, as the input says or recent events reveal.",
        "触达所处的情境，由输入指明，或由近期事件判断。",
    ),
    "moments.head": ("moment", "关键时刻"),
    "signals": ("Signals", "信号"),
    "signals.note": (
        "What was recognised, by level. A subscriber may have several signals.",
        "识别出的情况，按级别统计。同一用户可命中多个信号。",
    ),
    "signals.head": ("signal", "信号"),
    "actions": ("Actions", "动作"),
    "actions.note": (
        "On how many lists each action is, and on how many it comes first.",
        "每个动作进入多少用户的清单，其中多少排在首位。",
    ),
    "actions.head": ("action", "动作"),
    "lengths": ("Actions a subscriber", "人均建议动作数"),
    "lengths.note": ("How long the lists are.", "每位用户的清单长度。"),
    "lengths.head": ("actions on the list", "清单动作数"),
    "scores": ("Scores", "得分分布"),
    "scores.note": (
        "How scores spread, for the actions on most lists. Each column is a range of scores that begins at 1, 2 or 5 times a power of ten.",
        "主要动作的得分分布。每根柱为一个得分区间，区间起点为1、2、5乘以10的整次幂。",
    ),
    "scores.head": ("action", "动作"),
    "scores.median": ("half score at least", "半数不低于"),
    "scores.tenth": ("a tenth at least", "一成不低于"),
    "clauses": ("Kept back by contact policy and guardrails", "因触达规则和合规底线未推荐"),
    "clauses.note": (
        "How often a clause kept back an action that was right otherwise. A subscriber may be counted for several actions.",
        "动作本来合适、却被某条款拦下的次数。同一用户可因多个动作重复计数。",
    ),
    "clauses.head": ("clause", "条款"),
    "causes": ("Why actions were not offered", "未推荐原因"),
    "causes.note": (
        "Every pair of subscriber and action that did not come to a list has one cause.",
        "用户与动作的每一组合，凡未进入清单的，都有且只有一个原因。",
    ),
    "causes.head": ("cause", "原因"),
    "silent": ("Actions that reached nobody", "未触及任何用户的动作"),
    "silent.note": (
        "None of these is on any list, with what kept each back most often. An action that belongs to another channel is left out.",
        "以下动作未进入任何清单，并列出最主要的原因。不属于本渠道的动作不列。",
    ),
    "silent.head": ("action", "动作"),
    "silent.why": ("mostly because", "主要原因"),
    "empty": ("Why nothing was proposed", "无可推荐的原因"),
    "empty.note": ("One cause for each subscriber whose list is empty.", "清单为空的用户，每位一个原因。"),
    "empty.head": ("cause", "原因"),
    "held": ("Held by the limits", "因限额暂缓"),
    "held.note": (
        "Decided and permitted, and not going out in this run, for limits that hold for everybody together. What is owed is never held.",
        "已决策且允许、但受整体限额所限，本次不触达。应办事项一律不暂缓。",
    ),
    "held.head": ("cause and limit", "原因与限额"),
    "held.action": ("action", "动作"),
    "unknown": ("Facts that were wanted and not known", "缺失的事实"),
    "unknown.note": (
        "For how many subscribers each was missing or too old. Supplying the first few does most for the next run.",
        "各项事实缺失或过期所涉的用户数。优先补齐靠前几项，对下次运行帮助最大。",
    ),
    "unknown.head": ("fact", "事实"),
    "rejects": ("Rejected rows", "拒收的行"),
    "rejects.note": (
        "Rows that could not be decided, by column and reason; a row may have several. The reject file names each row.",
        "无法决策的行，按列和原因统计，同一行可有多个原因。逐行明细见拒收文件。",
    ),
    "rejects.head": ("column", "列"),
    "rejects.why": ("reason", "原因"),
    "watch": ("Watched signals", "重点信号变动"),
    "watch.note": (
        "How carriers of the watched signals moved since {}. Who is not seen carried it then and is not in this input.",
        "与{}相比，重点信号命中用户的变动。“未见”指上次命中、本次名单中没有的用户。",
    ),
    "watch.first": ("The first run that is watched: the next one says who came and who went.", "首次监测，变动情况自下次运行起提供。"),
    "watch.head": ("signal", "信号"),
    "watch.before": ("last time", "上次"),
    "watch.entered": ("came", "新进"),
    "watch.left": ("went", "退出"),
    "watch.worse": ("stronger", "加重"),
    "watch.better": ("weaker", "减轻"),
    "watch.unseen": ("not seen", "未见"),
    "tiers": ("VIP shares", "会员等级占比"),
    "tiers.note": (
        "Of the subscribers whose tier is known. A card that everybody holds means nothing: each tier has a limit.",
        "占等级已知用户的比例。人人都有的等级就没有意义，因此各等级设有占比上限。",
    ),
    "tiers.head": ("tier", "等级"),
    "tiers.limit": ("limit", "上限"),
    "tiers.standing": ("standing", "状态"),
    "tiers.over": ("over the limit", "超限"),
    "tiers.within": ("within the limit", "未超限"),
    "effects": ("Does care do any good?", "关怀效果"),
    "effects.note": (
        "Of those who carried a signal in the last run: of how many it is gone now, among those contacted and among those held out. "
        "The interval holds the true difference in 95 of 100 cases.",
        "上次命中该信号的用户中，本次信号消失的比例：已触达用户与对照组对比。区间为差值的95%置信区间。",
    ),
    "effects.head": ("signal", "信号"),
    "effects.contacted": ("contacted: gone", "已触达：消失"),
    "effects.control": ("held out: gone", "对照组：消失"),
    "effects.difference": ("points", "差值（百分点）"),
    "effects.interval": ("interval", "置信区间"),
    "effects.verdict": ("verdict", "结论"),
    "of": ("{}/{} ({})", "{}/{}（{}）"),
    "from_to": ("{} to {}", "{}至{}"),
    "works": ("works", "有效"),
    "harms": ("does harm", "适得其反"),
    "unclear": ("unclear", "尚无定论"),
    # What a reader should take away
    "say.going": (
        "{going} of {decided} subscribers ({share}) have something to do.",
        "{decided}户中有{going}户（{share}）有建议动作。",
    ),
    "say.going_held": (
        "{going} of {decided} subscribers ({share}) have something to do; for {held} of them the limits hold everything back for now.",
        "{decided}户中有{going}户（{share}）有建议动作，其中{held}户因限额全部暂缓。",
    ),
    "say.first": (
        "“{action}” comes first most often: in {share} of decisions ({count}).",
        "排在首位最多的动作是“{action}”，共{count}户（{share}）。",
    ),
    "say.nothing": (
        "Where nothing is proposed, it is mostly because {cause}: in {share} of decisions ({count}).",
        "无可推荐的主要原因是“{cause}”，共{count}户（{share}）。",
    ),
    "say.unknown": (
        "The fact that is missing most is “{fact}”: in {share} of decisions ({count}).",
        "缺失最多的事实是“{fact}”，涉及{count}户（{share}）。",
    ),
    "say.rejected": ("{share} of rows ({count}) were rejected; see the last section.", "有{count}行（{share}）被拒收，详见末节。"),
    "say.changed": (
        "The largest change since the last run is in the phase “{name}”: {change} points.",
        "较上次变化最大的阶段是“{name}”，占比{change}个百分点。",
    ),
    "say.stopped": (
        "Stopped for complaints: {complaints} of the {contacted} people whom campaigns of this name had contacted complained about "
        "unsolicited selling. Nobody further was decided about, and nothing goes out but what is owed.",
        "因投诉熔断：本活动已触达{contacted}人，其中{complaints}人投诉骚扰营销。其余名单不再决策，除应办事项外一律不执行。",
    ),
    "say.spent": ("What goes out gives away {given}; the contacts cost {cost}.", "本次执行让利合计{given}，触达成本{cost}。"),
    "say.beyond": (
        "Contacts that are owed went out beyond the limit “{limit}”: {count}. It is too small for what is owed.",
        "应办事项的触达有{count}次超出限额“{limit}”，该限额不足以办完应办事项。",
    ),
    "say.tier": (
        "The tier “{tier}” is over its limit: {share} of subscribers hold it, and {limit} should.",
        "“{tier}”占比超限：实际{share}，上限{limit}。",
    ),
    "say.works": (
        "Care did good with “{signal}”: {difference} points more often gone.",
        "对“{signal}”的关怀有效：消失比例高出{difference}个百分点。",
    ),
    "say.harms": (
        "Care did harm with “{signal}”: {difference} points less often gone. Find out why before the next run.",
        "对“{signal}”的关怀适得其反：消失比例低了{difference}个百分点，请在下次运行前查明原因。",
    ),
    "footer": (
        "Counts only: this report holds nothing about any single subscriber.",
        "本报告仅含统计数字，不含任何单个用户的信息。",
    ),
}


def say(name: str, language: Language, /, *values: object, **named: object) -> str:
    """A text of the report, filled in."""
    text = _WORDS[name][language == "zh"]
    return text.format(*values, **named) if values or named else text


def level(code: str, language: Language) -> str:
    """How strong a signal is."""
    return term(LEVELS, code, language)


def cause(code: str, language: Language) -> str:
    """Why an action was not offered, or why it is held."""
    return term({**CAUSES, **HELD}, code, language)


def clause(code: str, language: Language) -> str:
    """A clause that the engine adds itself; another as it is written."""
    return term(KEYS, code, language)
