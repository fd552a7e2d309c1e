"""A report as sections: titles, tables and the lengths of bars, worded for people. Terminal and page show the same ones."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from app.campaign.figures import EDGES, Figures, ordered
from app.campaign.report.run import Limited, Report, Run
from app.campaign.report.words import cause, clause, level, say
from app.campaign.summary import ranked
from app.engine.spoken import spoken
from app.engine.terms import LEVELS, local_time, why_nothing
from app.engine.texts import Language, shown

if TYPE_CHECKING:
    from app.campaign.watch import Day, Effect, TierShare

Kind = Literal["bars", "funnel", "spread", "plain"]
MOST_SPREADS = 12
"""Actions whose scores are drawn."""
_NEVER_RIGHT = ("not_applicable", "not_eligible", "not_suitable")
_KEPT_BACK = ("suppressed", "guardrail")
_ELSEWHERE = ("not_applicable", "channel")
_LEAST_POINTS = 0.05
_SAME = "="


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a section: its code, what it is called, the cells of its columns, and its bar.

    `bar` has the length of each part, 1 being the longest bar of the section; in a spread it has the height of each bucket.
    """

    id: str
    title: str
    cells: tuple[str, ...]
    bar: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table. `head` names the first column, `heads` the cells of a row, `series` the parts of a bar.

    Cells stand on the right, but for the places in `words`.
    """

    id: str
    title: str
    note: str
    head: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    kind: Kind = "bars"
    series: tuple[str, ...] = ()
    words: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Telling:
    """How a report is worded: the language, the currency of the pack, its titles, and what puts the reason of a rejected row into words."""

    language: Language
    currency: str = "CNY"
    titles: Mapping[str, str] = field(default_factory=dict)
    reason: Callable[[str], str] = str

    def say(self, name: str, /, *values: object, **named: object) -> str:
        """A text of the report."""
        return say(name, self.language, *values, **named)

    def title(self, code: str) -> str:
        """What the pack calls something, or nothing."""
        return self.titles.get(code, "")

    def named(self, code: str) -> str:
        """What the pack calls something, or its code."""
        return self.titles.get(code, code)


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure of the head: what it counts, the figure, its share, and how it moved since the last run."""

    id: str
    title: str
    figure: str
    share: str
    moved: str


def sections(report: Report, telling: Telling) -> list[Section]:
    """Everything there is to tell of a run, in the order in which people ask; a section about nothing is left out."""
    made = [section for make in _MAKERS for section in make(report, telling)]
    return [section for section in made if section.rows]


def head(report: Report, telling: Telling) -> list[Fact]:
    """The figures that come first."""
    now, before = report.figures, report.before.figures if report.before else None
    told = [("read", "read"), ("decided", "read"), ("with_actions", "decided"), ("nothing", "decided"), ("rejected", "read")]
    if _limited(now):
        told.insert(4, ("emptied", "decided"))
    return [_fact(name, of, now, before, telling) for name, of in told]


def highlights(report: Report, telling: Telling) -> list[str]:
    """What a reader should take away, in sentences."""
    now = report.figures
    limited = _limits(report.limited, telling) if report.limited else ()
    if not now.decided:
        return [*limited]
    watched = _watched(report.watch, telling) if report.watch else ()
    return [*limited, *_highlights(now, report.before.figures if report.before else None, telling), *watched]


def share(count: int, of: int) -> str:
    """A share as people read it; nothing where there is nothing to share."""
    return f"{count / of:.1%}" if of else ""


def _fact(name: str, of: str, now: Figures, before: Figures | None, telling: Telling) -> Fact:
    count, whole = _figure(now, name), _figure(now, of)
    beside, moved = "" if name == of else share(count, whole), ""
    if before and name == of:
        moved = _since(count - _figure(before, name), "change_rows", ",", telling)
    elif before and whole and _figure(before, of):
        moved = _since(_points(count, whole, _figure(before, name), _figure(before, of)), "change_points", ".1f", telling)
    return Fact(name, telling.say(name), f"{count:,}", beside, moved)


def _since(moved: float, words: str, form: str, telling: Telling) -> str:
    arrow = _arrow(moved, form)
    return telling.say("same") if arrow == _SAME else telling.say(words, arrow)


def _figure(figures: Figures, name: str) -> int:
    count: int = figures.lengths[0] if name == "nothing" else getattr(figures, name)
    return count


def _limited(figures: Figures) -> bool:
    return bool(figures.held or figures.kept or figures.emptied)


def _highlights(now: Figures, before: Figures | None, telling: Telling) -> Iterator[str]:
    decided = {"decided": f"{now.decided:,}", "going": f"{now.with_actions:,}", "share": share(now.with_actions, now.decided)}
    held = {"held": f"{now.emptied:,}"}
    yield telling.say("say.going_held", **decided, **held) if now.emptied else telling.say("say.going", **decided)
    told = (("say.first", "action", now.first()), ("say.nothing", "cause", now.empty), ("say.unknown", "fact", now.unknown))
    for name, key, counts in told:
        if counts:
            code, count = next(iter(ranked(counts).items()))
            words = why_nothing(code, telling.language) if key == "cause" else telling.named(code)
            yield telling.say(name, **{key: words}, count=f"{count:,}", share=share(count, now.decided))
    if now.rejected:
        yield telling.say("say.rejected", count=f"{now.rejected:,}", share=share(now.rejected, now.read))
    if before and before.decided:
        moves = {name: _points(now.phases[name], now.decided, before.phases[name], before.decided) for name in now.phases | before.phases}
        name, most = min(moves.items(), key=lambda item: (-round(abs(item[1]), 1), item[0]))
        if abs(most) >= _LEAST_POINTS:
            yield telling.say("say.changed", name=telling.named(name), change=telling.say("up" if most > 0 else "down", f"{abs(most):.1f}"))


def _limits(limited: Limited, telling: Telling) -> Iterator[str]:
    if limited.contacted is not None:
        yield telling.say("say.stopped", contacted=f"{limited.contacted:,}", complaints=f"{limited.complaints or 0:,}")
    if limited.given or limited.cost:
        given, cost = (shown(fen, "money", telling.language, telling.currency) for fen in (limited.given, limited.cost))
        yield telling.say("say.spent", given=given, cost=cost)
    for limit, count in sorted(limited.beyond.items()):
        yield telling.say("say.beyond", count=f"{count:,}", limit=limit)


def _watched(day: Day, telling: Telling) -> Iterator[str]:
    for tier in day.tiers:
        if tier.over:
            name = spoken(tier.tier, telling.language)
            yield telling.say("say.tier", tier=name, share=f"{tier.share:.1%}", limit=f"{tier.limit:.1%}")
    for one in day.effects:
        if one.verdict != "unclear" and one.difference is not None:
            moved = f"{abs(100 * one.difference):.1f}"
            yield telling.say(f"say.{one.verdict}", signal=telling.named(one.signal), difference=moved)


def _points(now: int, now_of: int, before: int, before_of: int) -> float:
    return 100 * (now / now_of - before / before_of)


def _arrow(moved: float, form: str) -> str:
    if abs(moved) < _LEAST_POINTS:
        return _SAME
    return f"{'▲' if moved > 0 else '▼'} {format(abs(moved), form)}"


@dataclass(frozen=True, slots=True)
class _Tally:
    """Counts of this run beside those of the last, as rows with count, share and change."""

    telling: Telling
    now: Mapping[str, int]
    of: int
    before: Mapping[str, int] | None
    before_of: int

    def heads(self, count: str = "subscribers") -> tuple[str, ...]:
        names = [count, "share", *(["change"] if self.before is not None else [])]
        return tuple(self.telling.say(name) for name in names)

    def codes(self) -> list[str]:
        """Codes of both runs, the most frequent of this one first."""
        return [*ranked({**dict.fromkeys(self.before or (), 0), **self.now})]

    def cells(self, code: str) -> tuple[str, ...]:
        count = self.now.get(code, 0)
        return (f"{count:,}", share(count, self.of), *([self.change(code)] if self.before is not None else []))

    def change(self, code: str) -> str:
        if not self.before or not self.of or not self.before_of:
            return ""
        if code not in self.before:
            return self.telling.say("new")
        return _arrow(_points(self.now.get(code, 0), self.of, self.before[code], self.before_of), ".1f")

    def length(self, code: str) -> float:
        return self.now.get(code, 0) / max([*self.now.values(), 1])


def _tally(report: Report, telling: Telling, of: Callable[[Figures], Mapping[str, int]]) -> _Tally:
    before = report.before.figures if report.before else None
    return _Tally(telling, of(report.figures), report.figures.decided, of(before) if before else None, before.decided if before else 0)


def _listed(name: str, tally: _Tally, words: Callable[[str], str], count: str = "subscribers") -> Section:
    telling = tally.telling
    rows = tuple(Row(code, words(code), tally.cells(code), (tally.length(code),)) for code in tally.codes())
    return Section(name, telling.say(name), telling.say(f"{name}.note"), telling.say(f"{name}.head"), tally.heads(count), rows)


def _funnel(report: Report, telling: Telling) -> Iterator[Section]:
    figures = report.figures
    steps = ["read", "decided", "with_actions"]
    counts = {"read": figures.read, "decided": figures.decided, "with_actions": figures.with_actions}
    if _limited(figures):
        steps.append("going")
        counts["going"] = figures.with_actions - figures.emptied
    rows = tuple(
        Row("", telling.say(step), (f"{counts[step]:,}", share(counts[step], figures.read)), (counts[step] / (figures.read or 1),))
        for step in steps
    )
    heads = (telling.say("subscribers"), telling.say("share"))
    texts = (telling.say("funnel"), telling.say("funnel.note"), telling.say("funnel.head"))
    yield Section("funnel", *texts, heads, rows if figures.read else (), "funnel")


def _places(report: Report, telling: Telling) -> Iterator[Section]:
    yield _listed("phases", _tally(report, telling, lambda found: found.phases), telling.named)
    yield _listed("stages", _tally(report, telling, lambda found: found.stages), telling.named)
    none = telling.say("none")
    yield _listed(
        "moments", _tally(report, telling, lambda found: found.moments), lambda code: none if code == "none" else telling.named(code)
    )


def _signals(report: Report, telling: Telling) -> Iterator[Section]:
    tally = _tally(report, telling, lambda found: {name: sum(levels.values()) for name, levels in found.by_signal()})
    levels = dict(report.figures.by_signal())
    most = max([*tally.now.values(), 1])
    rows = tuple(
        Row(
            code,
            telling.title(code) or code,
            (*(f"{levels[code][name]:,}" if name in levels.get(code, {}) else "" for name in LEVELS), *tally.cells(code)),
            tuple(levels.get(code, {}).get(name, 0) / most for name in LEVELS),
        )
        for code in tally.codes()
    )
    series = tuple(level(name, telling.language) for name in LEVELS)
    heads = (*series, *tally.heads())
    yield Section("signals", telling.say("signals"), telling.say("signals.note"), telling.say("signals.head"), heads, rows, "bars", series)


def _actions(report: Report, telling: Telling) -> Iterator[Section]:
    figures = report.figures
    tally, first = _tally(report, telling, lambda found: found.offered()), figures.first()
    most = max([*tally.now.values(), 1])
    gives = bool(+figures.given)
    rows = tuple(
        Row(
            code,
            telling.named(code),
            (f"{first[code]:,}", *tally.cells(code), *([_given(figures, code, telling)] if gives else [])),
            (first[code] / most, (tally.now.get(code, 0) - first[code]) / most),
        )
        for code in tally.codes()
    )
    heads = (telling.say("first"), *tally.heads("offered"), *([telling.say("concession")] if gives else []))
    series = (telling.say("first"), telling.say("later"))
    yield Section("actions", telling.say("actions"), telling.say("actions.note"), telling.say("actions.head"), heads, rows, "bars", series)


def _given(figures: Figures, action: str, telling: Telling) -> str:
    return shown(figures.given[action], "money", telling.language, telling.currency) if figures.given[action] else ""


def _lengths(report: Report, telling: Telling) -> Iterator[Section]:
    tally = _tally(report, telling, lambda found: {str(length): count for length, count in found.lengths.items()})
    made = _listed("lengths", tally, str)
    yield replace(made, rows=tuple(sorted((replace(row, id="") for row in made.rows), key=lambda row: int(row.title))))


def _spreads(report: Report, telling: Telling) -> Iterator[Section]:
    figures = report.figures
    actions = [action for action in figures.actions() if figures.offered()[action]][:MOST_SPREADS]
    heads = (telling.say("offered"), telling.say("scores.median"), telling.say("scores.tenth"))
    rows = tuple(_spread(figures.scores_of(action), action, telling) for action in actions)
    yield Section("scores", telling.say("scores"), telling.say("scores.note"), telling.say("scores.head"), heads, rows, "spread")


def _spread(counts: Sequence[int], action: str, telling: Telling) -> Row:
    most, total = max([*counts, 1]), sum(counts)
    cells = (f"{total:,}", *(reached(counts, part) for part in (0.5, 0.1)))
    return Row(action, telling.named(action), cells, tuple(count / most for count in counts))


def reached(counts: Sequence[int], part: float) -> str:
    """The largest edge of `EDGES` that at least this part of the scores reaches, where there is one."""
    total, above = sum(counts), 0
    for bucket in range(len(counts) - 1, 0, -1):
        above += counts[bucket]
        if total and above >= part * total:
            return f"{EDGES[bucket - 1]:,.0f}"
    return f"< {EDGES[0]:,.0f}" if total else ""


def _reasons(report: Report, telling: Telling) -> Iterator[Section]:
    def kept_back(found: Figures) -> dict[str, int]:
        return {name: count for (why, name), count in found.clauses().items() if why in _KEPT_BACK}

    def causes(found: Figures) -> Counter[str]:
        counts = Counter[str]()
        for (why, _), count in found.clauses().items():
            counts[why] += count
        return counts

    yield _of_all(_listed("clauses", _tally(report, telling, kept_back), telling.named, "pairs"))
    yield _of_all(_listed("causes", _tally(report, telling, causes), lambda code: cause(code, telling.language), "pairs"))
    yield _silent(report.figures, telling)
    yield _listed("empty", _tally(report, telling, lambda found: found.empty), lambda code: why_nothing(code, telling.language))


def _of_all(section: Section) -> Section:
    """A tally of pairs: their share of subscribers says nothing, so neither it nor its change is told."""
    return replace(section, heads=section.heads[:1], rows=tuple(replace(row, cells=row.cells[:1]) for row in section.rows))


def _silent(figures: Figures, telling: Telling) -> Section:
    offered = figures.offered()
    rows = []
    for action in figures.actions():
        why = {} if offered[action] else figures.kept_out_of(action)
        told = {key: count for key, count in why.items() if key != _ELSEWHERE and key[1] != "phase"}
        if told:
            (because, name), count = next(iter(told.items()))
            named = telling.title(name) or clause(name, telling.language) if because not in _NEVER_RIGHT else name
            rows.append(Row(action, telling.named(action), (f"{count:,}", f"{cause(because, telling.language)} · {named}")))
    heads = (telling.say("pairs"), telling.say("silent.why"))
    texts = (telling.say("silent"), telling.say("silent.note"), telling.say("silent.head"))
    return Section("silent", *texts, heads, tuple(rows), "plain", words=frozenset({1}))


def _held(report: Report, telling: Telling) -> Iterator[Section]:
    found = Counter[tuple[str, str, str]](report.figures.held)
    by_limit = Counter[tuple[str, str]]()
    for (_, why, limit), count in found.items():
        by_limit[why, limit] += count
    most = max([*by_limit.values(), 1])
    rows = tuple(
        Row(limit, cause(why, telling.language), (f"{count:,}", _mostly(found, why, limit, telling)), (count / most,))
        for (why, limit), count in ordered(by_limit).items()
    )
    heads = (telling.say("pairs"), telling.say("held.action"))
    texts = (telling.say("held"), telling.say("held.note"), telling.say("held.head"))
    yield Section("held", *texts, heads, rows, words=frozenset({1}))


def _mostly(held: Counter[tuple[str, str, str]], why: str, limit: str, telling: Telling) -> str:
    actions = {action: count for (action, cause_, limit_), count in held.items() if (cause_, limit_) == (why, limit)}
    return " · ".join(f"{telling.named(action)} {count:,}" for action, count in [*ranked(actions).items()][:2])


def _watch(report: Report, telling: Telling) -> Iterator[Section]:
    day = report.watch
    if day is None:
        return
    moves = ("before", "entered", "left", "worse", "better", "unseen") if day.since else ()
    most = max([*(one.subscribers for one in day.signals), 1])
    rows = tuple(
        Row(
            one.signal,
            telling.named(one.signal),
            (f"{one.subscribers:,}", *(f"{getattr(one, name):,}" for name in moves)),
            (one.subscribers / most,),
        )
        for one in day.signals
    )
    heads = (telling.say("subscribers"), *(telling.say(f"watch.{name}") for name in moves))
    note = telling.say("watch.note", day.since) if day.since else telling.say("watch.first")
    yield Section("watch", telling.say("watch"), note, telling.say("watch.head"), heads, rows)
    yield _tiers(day, telling)
    yield _effects(day, telling)


def _tiers(day: Day, telling: Telling) -> Section:
    most = max([*(one.share for one in day.tiers), 0.01])
    rows = tuple(Row(one.tier, spoken(one.tier, telling.language), _tier(one, telling), (one.share / most,)) for one in day.tiers)
    heads = (telling.say("subscribers"), telling.say("share"), telling.say("tiers.limit"), telling.say("tiers.standing"))
    texts = (telling.say("tiers"), telling.say("tiers.note"), telling.say("tiers.head"))
    return Section("tiers", *texts, heads, rows, words=frozenset({3}))


def _tier(one: TierShare, telling: Telling) -> tuple[str, ...]:
    limited = ("", "") if one.limit is None else (f"{one.limit:.1%}", telling.say("tiers.over" if one.over else "tiers.within"))
    return (f"{one.subscribers:,}", f"{one.share:.1%}", *limited)


def _effects(day: Day, telling: Telling) -> Section:
    rows = tuple(Row(one.signal, telling.named(one.signal), _effect(one, telling)) for one in day.effects)
    heads = tuple(telling.say(f"effects.{name}") for name in ("contacted", "control", "difference", "interval", "verdict"))
    texts = (telling.say("effects"), telling.say("effects.note"), telling.say("effects.head"))
    return Section("effects", *texts, heads, rows, "plain", words=frozenset({4}))


def _effect(one: Effect, telling: Telling) -> tuple[str, ...]:
    groups = ((one.contacted_gone, one.contacted), (one.control_gone, one.control))
    told = tuple(telling.say("of", f"{gone:,}", f"{of:,}", share(gone, of)) if of else "" for gone, of in groups)
    verdict = telling.say(one.verdict)
    if one.difference is None or one.interval is None:
        return (*told, "", "", verdict)
    low, high = (f"{100 * edge:.1f}" for edge in one.interval)
    return (*told, _arrow(100 * one.difference, ".1f"), telling.say("from_to", low, high), verdict)


def _unknown(report: Report, telling: Telling) -> Iterator[Section]:
    yield _listed("unknown", _tally(report, telling, lambda found: found.unknown), telling.named)


def _rejects(report: Report, telling: Telling) -> Iterator[Section]:
    found = report.figures.rejects
    most = max([*found.values(), 1])
    rows = tuple(
        Row("", column or "—", (f"{count:,}", telling.reason(why)), (count / most,)) for (column, why), count in ordered(found).items()
    )
    heads = (telling.say("rows"), telling.say("rejects.why"))
    texts = (telling.say("rejects"), telling.say("rejects.note"), telling.say("rejects.head"))
    yield Section("rejects", *texts, heads, rows, words=frozenset({1}))


_MAKERS: Sequence[Callable[[Report, Telling], Iterator[Section]]] = (
    _funnel,
    _places,
    _signals,
    _actions,
    _held,
    _watch,
    _lengths,
    _spreads,
    _reasons,
    _unknown,
    _rejects,
)


def about(report: Report, telling: Telling) -> list[tuple[str, str]]:
    """What kind of run it was: names and values for the head of a report."""
    run, language = report.run, telling.language
    minutes, seconds = divmod(round(run.seconds), 60)
    took = telling.say("minutes", minutes, seconds) if minutes else telling.say("seconds", f"{run.seconds:.1f}")
    pace = telling.say("per_second", f"{report.figures.decided / run.seconds:,.0f}") if run.seconds else ""
    return [
        (telling.say("source"), run.source),
        (telling.say("channel"), spoken(run.channel, language) if run.channel else telling.say("each_row")),
        (telling.say("pack"), f"{run.pack} · {run.digest.removeprefix('sha256:')[:12]}"),
        (telling.say("took"), " · ".join(filter(None, (took, pace)))),
    ]


def began(run: Run, telling: Telling) -> str:
    """When a run began, in the zone it was told in."""
    offset = run.started.utcoffset() or datetime.timedelta()
    return local_time(run.started, round(offset.total_seconds() / 60), telling.language)


def compared(report: Report, telling: Telling) -> str:
    """With what the run is compared, in a sentence."""
    if report.before is None:
        return telling.say("first_run")
    last = report.before.run
    told = telling.say("last_run", began(last, telling))
    if last.digest == report.run.digest:
        return told
    another = telling.say("another_pack", f"{last.pack} · {last.digest.removeprefix('sha256:')[:12]}")
    return f"{told}{'。' if telling.language == 'zh' else '. '}{another}"
