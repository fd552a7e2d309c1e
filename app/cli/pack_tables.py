"""Packs in force for people: the words of the steps, a table of packs, a table of what was done, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from app.cli.columns import Columns, table
from app.engine.texts import Language
from app.record.packs.history import State, Step, shortened

if TYPE_CHECKING:
    from app.record.packs.library import Shelf

_STYLES: dict[State, str] = {"active": "bold green", "scheduled": "green", "rejected": "red", "refused": "red", "retired": "dim"}
_words: Mapping[str, tuple[str, str]] = {
    "digest": ("digest", "摘要"),
    "pack": ("pack", "规则包"),
    "version": ("version", "版本"),
    "state": ("state", "状态"),
    "author": ("published by", "发布人"),
    "approver": ("approved by", "审批人"),
    "since": ("decides from", "生效时间"),
    "steps": ("Steps", "操作记录"),
    "at": ("at", "时间"),
    "step": ("step", "操作"),
    "by": ("by", "操作人"),
    "from": ("from", "生效时间"),
    "note": ("note", "备注"),
    "nothing": ("no pack was published yet", "尚未发布任何规则包"),
    "cannot": ("{0} cannot take over: {1}", "{0}：无法启用：{1}"),
    "is published": ("{0} published; {1}", "{0}：已发布；{1}"),
    "was published": ("{0} was published before; {1}", "{0}：此前已发布；{1}"),
    "tests": ("tests: {0} passed, {1} failed", "测试通过{0}项，未通过{1}项"),
    "no tests": ("its tests were not run", "测试未运行"),
    "failing": (
        "it cannot take over while its tests fail, so nobody can approve it: mend it and publish it again",
        "测试未全部通过，不能审批，也不能启用：请修改后重新发布",
    ),
    "next": ("next: wanliu pack approve {0} --by NAME", "下一步：wanliu pack approve {0} --by 姓名"),
    "is approved": ("{0} approved", "{0}：审批通过"),
    "is rejected": ("{0} rejected", "{0}：已驳回"),
    "is active": ("{0} active from {1}", "{0}：已启用，自{1}起生效"),
    "is scheduled": ("{0} scheduled from {1}", "{0}：已定时启用，自{1}起生效"),
    "is withdrawn": ("{0} no longer scheduled", "{0}：已撤销定时启用"),
    "is back": ("{0} active again from {1}", "{0}：已回滚至此版本，自{1}起生效"),
    "follows folder": (
        "no callers are configured, so the service follows its folder and not this; `wanliu caller add` ends development mode",
        "尚未配置调用方，服务处于开发模式，跟随本地文件夹，不受此操作影响；用`wanliu caller add`结束开发模式",
    ),
}
_states: Mapping[str, str] = {
    "published": "待审批",
    "approved": "已审批",
    "rejected": "已驳回",
    "scheduled": "待生效",
    "active": "生效中",
    "refused": "未能启用",
    "retired": "已停用",
}
_steps: Mapping[str, str] = {
    "published": "发布",
    "approved": "审批通过",
    "rejected": "驳回",
    "activated": "启用",
    "withdrawn": "撤销定时",
    "rolled_back": "回滚",
    "refused": "未能启用",
    "development": "开发模式",
}


def say(name: str, language: Language, *given: object) -> str:
    """One of the sentences, in a language."""
    return _words[name][language == "zh"].format(*given)


def packs_table(shelf: Shelf, now: str, language: Language) -> Columns:
    """Every pack with its state at a time."""
    names = ("digest", "pack", "version", "state", "author", "approver", "since")
    made = table("", *(say(name, language) for name in names), whole=(6,), loose=(4, 5))
    for digest in shelf.packs:
        pack = shelf.summary(digest, now)
        state = Text(state_word(pack.state, language), style=_STYLES.get(pack.state, "none"))
        since = moment(pack.active_since or pack.scheduled_for)
        made.add_row(shortened(digest), Text(pack.name), Text(pack.version), state, Text(pack.author), Text(pack.approved_by or ""), since)
    return made


def steps_table(shelf: Shelf, language: Language) -> Columns:
    """Everything that was done with the packs, oldest first."""
    made = table(
        f"\n{say('steps', language)}",
        *(say(name, language) for name in ("at", "digest", "step", "by", "from", "note")),
        whole=(0, 4),
        loose=(3,),
    )
    for step in shelf.history.steps:
        ahead = step.effective_at if step.effective_at != step.at else None
        done = step_word(step.step, language)
        made.add_row(moment(step.at), shortened(step.digest), done, Text(step.by), moment(ahead), Text(_note(step, language)))
    return made


def tests_in_words(passed: int | None, failed: int | None, language: Language) -> str:
    """What a pack's own tests came to; where they were not run that."""
    if passed is None or failed is None:
        return say("no tests", language)
    return say("tests", language, f"{passed:,}", f"{failed:,}")


def _note(step: Step, language: Language) -> str:
    """What somebody wrote, or the outcome of the tests, which is noted with a pack that is published."""
    tests = step.told.get("tests")
    if step.step == "published" and isinstance(tests, Mapping):
        return tests_in_words(tests.get("passed"), tests.get("failed"), language)
    return step.note or ""


def state_word(state: str, language: Language) -> str:
    """The state of a pack as people read it."""
    return _states.get(state, state) if language == "zh" else state


def step_word(step: str, language: Language) -> str:
    """A step as people read it."""
    return _steps.get(step, step) if language == "zh" else step


def moment(time: str | None) -> str:
    """A time to the second, as people read it."""
    return f"{time[:10]} {time[11:19]}Z" if time else ""
