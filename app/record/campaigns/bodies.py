"""What the envelopes of a campaign's decisions say: what that of a decision that was asked for alone says, and the campaign's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, Protocol

import polars as pl

from app.engine.case import Case
from app.engine.decision import Decision
from app.engine.pack import Pack
from app.engine.pack.model import Action
from app.record.campaigns.model import CampaignHead
from app.record.canonical import canonical
from app.record.counting import is_test_line, kept_out
from app.record.decisions import concluded
from app.record.search.terms import GATES

_PLACE = "i"
_MOST_KEPT = 100_000
"""Combinations of what became of all actions that are kept in mind."""
_LAST = "stage"
"""The last name of a body that is always there."""


class Became(Protocol):
    """What became of an action: the cause, none where it is offered, and the clause."""

    @property
    def cause(self) -> str | None:
        """One word."""
        ...

    @property
    def clause(self) -> str | None:
        """Of the pack."""
        ...


class DecidedColumns(Protocol):
    """Decisions as columns; `i` is the place in the batch.

    `subscribers`: `stage`, `phase`, `moment`, `personalised`, `empty_because`. `signals`: `signal`, `level`. `ranked`: `rank`, `action`,
    `duty`, `tariff`, `fallback_for`. `outcomes`: a code for each action, which `legend` explains.
    """

    @property
    def subscribers(self) -> pl.DataFrame:
        """A row a subscriber, in the order of their places."""
        ...

    @property
    def signals(self) -> pl.DataFrame:
        """A row a signal that holds."""
        ...

    @property
    def ranked(self) -> pl.DataFrame:
        """A row an action on a list."""
        ...

    @property
    def outcomes(self) -> pl.DataFrame:
        """A row a subscriber, a column an action."""
        ...

    @property
    def legend(self) -> Mapping[str, Sequence[Became]]:
        """What the codes of each action mean."""
        ...


class BatchColumns(Protocol):
    """Subscribers as columns: of facts `i`, and, where they are known, `request.channel`, `request.direction`, `request.reason` and
    `account.test_number`.
    """

    @property
    def facts(self) -> pl.DataFrame:
        """A row a subscriber, in the order of their places."""
        ...


class Single(Protocol):
    """A subscriber who was decided alone."""

    @property
    def case(self) -> Case:
        """What was decided about."""
        ...

    @property
    def decision(self) -> Decision:
        """The result."""
        ...


class _Kept(NamedTuple):
    """What a code says of an action that is not on the list: gate and cause, then clause and action, as JSON."""

    group: tuple[str, str]
    clause: str
    action: str


def body_of(head: CampaignHead, pack: Pack, case: Case, decision: Decision, beside: Mapping[str, Any] | None = None) -> bytes:
    """The body of one decision, as canonical JSON.

    Args:
        head: of the campaign.
        pack: what decided.
        case: what was decided about.
        decision: the result.
        beside: what else is to be on record of it, as codes: what became of its actions within the limits of the campaign, say.
    """
    test_line = True if is_test_line(case) else None
    own = {"channel": case.channel, "direction": case.direction, "reason": case.reason, "test_line": test_line, **(beside or {})}
    codes = {name: value for name, value in {**_shared(head), **own}.items() if value is not None}
    return canonical(codes | concluded(pack, decision, kept_out(pack, case, decision)))


class Bodies:
    """Makes the bodies of whole batches, each as `body_of` would."""

    def __init__(self, head: CampaignHead, pack: Pack) -> None:
        """
        Args:
            head: of the campaign.
            pack: what decides.
        """
        self._head, self._pack = head, pack
        self._shared = {name: _json(value) for name, value in _shared(head).items()}
        self._told: _Told | None = None
        self._listed = {action.id: _listed(action) for action in pack.actions}

    def of(self, batch: BatchColumns, decided: DecidedColumns, singles: Mapping[int, Single]) -> pl.Series:
        """The bodies of a batch, in the order of its places.

        Args:
            batch: who was decided about.
            decided: the decisions.
            singles: by place, those who were decided alone.
        """
        names = ("request.channel", "request.direction", "request.reason", "account.test_number")
        given = batch.facts.select(_PLACE, *(pl.col(name) for name in names if name in batch.facts.columns))
        absent = [pl.lit(None, pl.String).alias(name) for name in names if name not in given.columns]
        told = decided.subscribers.join(given.with_columns(absent), on=_PLACE, how="left", maintain_order="left")
        told = told.join(_signals(decided.signals), on=_PLACE, how="left", maintain_order="left")
        told = told.join(self._lists(decided.ranked), on=_PLACE, how="left", maintain_order="left")
        told = told.with_columns(self._outcomes(decided))
        bodies = told.select(self._body().cast(pl.Binary)).to_series()
        alone = told[_PLACE].is_in(list(singles)).arg_true()
        made = [body_of(self._head, self._pack, singles[place].case, singles[place].decision) for place in told[_PLACE][alone]]
        return bodies.scatter(alone, pl.Series(made, dtype=pl.Binary())) if singles else bodies

    def _body(self) -> pl.Expr:
        """The text of a body, name after name."""
        parts: dict[str, pl.Expr] = {name: pl.lit(f'"{name}":{value},') for name, value in self._shared.items()}
        for name in ("stage", "phase", "moment"):
            parts[name] = pl.format(f'"{name}":"{{}}",', pl.col(name))
        for name, column in (("direction", "request.direction"), ("reason", "request.reason"), ("empty_because", "empty_because")):
            parts[name] = pl.format(f'"{name}":"{{}}",', pl.col(column)).fill_null("")
        parts["channel"] = pl.format('"channel":"{}",', pl.col("request.channel").fill_null(self._head.channel))
        parts["personalised"] = pl.format('"personalised":{},', pl.col("personalised").cast(pl.String))
        parts["signals"] = pl.concat_str(pl.lit('"signals":{'), pl.col("held").fill_null(""), pl.lit("},"))
        parts["offered"] = pl.concat_str(pl.lit('"offered":['), pl.col("list").fill_null(""), pl.lit("],"))
        parts["outcomes"] = pl.concat_str(pl.lit('"outcomes":'), pl.col("outcomes"), pl.lit(","))
        parts[_LAST] = pl.format(f'"{_LAST}":"{{}}"', pl.col(_LAST))
        parts["test_line"] = pl.when(pl.col("account.test_number").cast(pl.Boolean)).then(pl.lit(',"test_line":true')).otherwise(pl.lit(""))
        return pl.concat_str(pl.lit("{"), *(parts[name] for name in sorted(parts)), pl.lit("}"))

    def _lists(self, ranked: pl.DataFrame) -> pl.DataFrame:
        """What is offered, as JSON without its brackets, by place."""
        opening, middle = ({action: part[at] for action, part in self._listed.items()} for at in (0, 1))
        text = pl.String()
        item = pl.concat_str(
            pl.col("action").replace_strict(opening, return_dtype=text),
            pl.format(',"duty":"{}"', pl.col("duty")),
            pl.format(',"fallback_for":"{}"', pl.col("fallback_for")).fill_null(""),
            pl.col("action").replace_strict(middle, return_dtype=text),
            pl.format(',"rank":{}', pl.col("rank")),
            pl.format(',"tariff":"{}"', pl.col("tariff")).fill_null(""),
            pl.lit("}"),
        )
        ordered = ranked.sort(_PLACE, "rank").select(_PLACE, item.alias("list"))
        return ordered.group_by(_PLACE, maintain_order=True).agg(pl.col("list").str.join(","))

    def _outcomes(self, decided: DecidedColumns) -> pl.Series:
        """What became of the actions that are not on the list, as JSON, in the order of places. Many have it in common."""
        told = self._told if self._told is not None and self._told.legend is decided.legend else _Told(self._pack, decided.legend)
        self._told = told
        if len(told.known) > _MOST_KEPT:
            told.known.clear()
        alike = decided.outcomes.select(told.actions).with_row_index(_PLACE).group_by(told.actions).agg(_PLACE)
        texts = [told.of(codes) for codes in alike.select(told.actions).iter_rows()]
        found = alike.select(_PLACE, pl.Series("outcomes", texts, dtype=pl.String)).explode(_PLACE)
        return found.sort(_PLACE)["outcomes"]


class _Told:
    """What combinations of codes come to, in the words of one legend."""

    def __init__(self, pack: Pack, legend: Mapping[str, Sequence[Became]]) -> None:
        self.legend = legend
        self.known: dict[tuple[int, ...], str] = {}
        self.actions = [action.id for action in pack.actions]
        self._tables = [[_kept(pack.by_id[name], became) for became in legend[name]] for name in self.actions]
        kept = {item for table in self._tables for item in table if item is not None}
        self._places = sorted({(item.group[1], item.clause) for item in kept})
        gates: dict[tuple[str, str], set[str]] = {}
        for item in kept:
            gates.setdefault((item.group[1], item.clause), set()).add(item.group[0])
        number = {place: None if len(gates[place]) > 1 else at for at, place in enumerate(self._places)}
        self._swift = [
            [None if item is None else (number[item.group[1], item.clause], f",{item.action}") for item in table] for table in self._tables
        ]

    def of(self, codes: tuple[int, ...]) -> str:
        """The JSON of one combination, which is worked out once."""
        found = self.known.get(codes)
        if found is None:
            found = self.known[codes] = self.text(codes)
        return found

    def text(self, codes: Sequence[int]) -> str:
        """The JSON of one combination."""
        found: dict[int, str] = {}
        for table, code in zip(self._swift, codes, strict=True):
            kept = table[code]
            if kept is None:
                continue
            at, action = kept
            if at is None:  # the clause stands in several gates, whose actions come one gate after the other
                return _by_cause(self._tables, codes)
            found[at] = found[at] + action if at in found else action
        causes: dict[str, list[str]] = {}
        for at in sorted(found):
            cause, clause = self._places[at]
            causes.setdefault(cause, []).append(f"{clause}:[{found[at][1:]}]")
        return "{" + ",".join(f'"{cause}":{{{",".join(clauses)}}}' for cause, clauses in causes.items()) + "}"


def _shared(head: CampaignHead) -> dict[str, Any]:
    """What all bodies of a campaign say."""
    names = ("caller", "role", "agent", "campaign", "mode", "locale", "explain", "history", "pack", "engine")
    told = head.body()
    return {name: told[name] for name in names if name in told}


def _signals(signals: pl.DataFrame) -> pl.DataFrame:
    """The signals that hold, as JSON without its brackets, by place."""
    ordered = signals.sort(_PLACE, "signal").select(_PLACE, pl.format('"{}":"{}"', pl.col("signal"), pl.col("level")).alias("held"))
    return ordered.group_by(_PLACE, maintain_order=True).agg(pl.col("held").str.join(","))


def _listed(action: Action) -> tuple[str, str]:
    """What is the same of an action on every list, as JSON: before its duty, and before its rank."""
    opens = "" if action.opens is None else f',"opens":{_json({name: at for name, at in asdict(action.opens).items() if at is not None})}'
    return f'{{"action":"{action.id}","confirm":{_json(action.confirm)}', f',"kind":{_json(action.kind)}{opens}'


def _kept(action: Action, became: Became) -> _Kept | None:
    if became.cause is None:
        return None
    return _Kept((gate_of(action, became.cause, became.clause), became.cause), _json(became.clause or ""), _json(action.id))


def gate_of(action: Action, cause: str, clause: str | None) -> str:
    """The gate to which an action came that is not on the list."""
    return GATES.get(cause) or next((found.gate for found in _clauses(action) if found.name == clause), "suitable")


def _clauses(action: Action) -> Iterator[Any]:
    yield from action.gates
    yield from action.contact
    yield from action.guardrails


def _by_cause(tables: Sequence[Sequence[_Kept | None]], codes: Sequence[int]) -> str:
    """The actions by cause and clause, those of one gate before those of the next."""
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for table, code in zip(tables, codes, strict=True):
        kept = table[code]
        if kept is not None:
            groups.setdefault(kept.group, {}).setdefault(kept.clause, []).append(kept.action)
    causes: dict[str, dict[str, list[str]]] = {}
    for (_, cause), clauses in groups.items():
        found = causes.setdefault(cause, {})
        for clause, actions in clauses.items():
            found[clause] = found[clause] + actions if clause in found else actions
    return "{" + ",".join(f'"{cause}":{_object(clauses)}' for cause, clauses in sorted(causes.items())) + "}"


def _object(clauses: Mapping[str, Sequence[str]]) -> str:
    return "{" + ",".join(f"{clause}:[{','.join(actions)}]" for clause, actions in sorted(clauses.items())) + "}"


def _json(value: Any) -> str:
    return canonical(value).decode()
