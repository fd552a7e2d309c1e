"""What `wanliu pack test` was asked for, and its words in the language asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.engine.texts import Language, language_of

_words: Mapping[str, tuple[str, str]] = {
    "expected": ("expected ", "应为"),
    "got": (", got ", "，实为"),
    "passed": ("{} passed", "通过{}项"),
    "failed": ("{} failed", "未通过{}项"),
    "refused": ("mistakes in suites: {}", "测试集错误{}处"),
    "seconds": ("in {:.1f} s", "用时{:.1f}秒"),
    "more": ("… and {} more that fail; --run narrows", "……另有{}项未通过，可用 --run 缩小范围"),
    "coverage": ("Coverage", "覆盖"),
    "covered": ("covered", "已覆盖"),
    "of": ("of", "总数"),
    "total": ("total", "合计"),
    "gaps": ("{} parts are not covered; --uncovered lists them", "{}处未覆盖，加 --uncovered 逐条列出"),
    "uncovered": ("Not covered", "未覆盖"),
    "level": ("signal levels", "信号级别"),
    "pattern": ("patterns", "事件组合"),
    "gate": ("gate clauses", "关卡条款"),
    "contact": ("contact clauses", "触达条款"),
    "guardrail": ("guardrails", "合规底线"),
    "stage": ("stage clauses", "生命周期条款"),
    "phase": ("phase clauses", "阶段条款"),
    "moment": ("moments", "关键时刻"),
    "fallback": ("fallbacks", "兜底动作"),
    "level.held": ("never held", "从未成立"),
    "pattern.held": ("never held", "从未成立"),
    "gate.held": ("never let the action through", "从未放行"),
    "gate.held_not": ("never kept the action out", "从未拦下"),
    "contact.held": ("never permitted an action", "从未放行"),
    "contact.held_not": ("never held an action back", "从未拦下"),
    "guardrail.held": ("never permitted an action", "从未放行"),
    "guardrail.held_not": ("never held an action back", "从未拦下"),
    "stage.held": ("never made the stage", "从未成立"),
    "stage.held_not": ("never failed", "从未不成立"),
    "phase.held": ("never made the phase", "从未成立"),
    "phase.held_not": ("never failed", "从未不成立"),
    "moment.chosen": ("never revealed by events", "从未由事件识别"),
    "fallback.chosen": ("never chosen", "从未选中"),
    "and": ("; ", "；"),
    "mutation": ("Changes that no test would notice", "改了也没有测试发现"),
    "survived": ("not noticed", "未发现"),
    "tried": ("tried", "共试"),
    "parameter": ("parameters a step up or down", "参数上下调一档"),
    "figure": ("figures in conditions a step up or down", "条件中的数字上下调一档"),
    "row": ("rows taken out", "删去表中一行"),
    "gone.level": ("signal levels taken out", "删去信号级别"),
    "gone.pattern": ("patterns changed or taken out", "改动或删去事件组合"),
    "gone.gate": ("gate clauses taken out", "删去关卡条款"),
    "gone.contact": ("contact clauses taken out", "删去触达条款"),
    "gone.guardrail": ("guardrails taken out", "删去合规底线"),
    "gone.stage": ("stage clauses taken out", "删去生命周期条款"),
    "gone.phase": ("phase clauses taken out", "删去阶段条款"),
    "gone.moment": ("moments taken out", "删去关键时刻识别"),
    "gone.fallback": ("fallbacks taken out", "删去兜底动作"),
    "trying": ("trying changes", "逐项试改"),
    "left out": ("{} tests fail and take no part", "{}项测试未通过，不参与"),
    "no mutants": ("the tests speak of no part that could be changed", "这些测试没有涉及可改动的部分"),
    "gone": ("gone", "删去"),
    "unnoticed": ("{} of {} changes not noticed", "{}处改动未被发现，共试{}处"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What the command was asked for."""

    run: str | None = None
    verbose: bool = False
    junit: Path | None = None
    jobs: int | None = None
    as_json: bool = False
    covered: bool | None = None
    uncovered: bool = False
    fail_under: float | None = None
    locale: str = "en"
    mutate: bool = False

    @property
    def language(self) -> Language:
        """The language of what is printed."""
        return language_of(self.locale)

    @property
    def wants_coverage(self) -> bool:
        """Is coverage worked out? Of some of the tests only where it was asked for."""
        return self.covered if self.covered is not None else self.run is None or self.uncovered or self.fail_under is not None

    def say(self, code: str, *given: object) -> str:
        """One of the phrases."""
        return _words[code][self.language == "zh"].format(*given)
