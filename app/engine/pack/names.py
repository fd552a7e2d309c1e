"""Which names an expression may use at which place in a pack."""

from __future__ import annotations

import re
import unicodedata
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, get_args

from app.engine.language import Names
from app.engine.pack.documents import Approve, Confirm, CustomFact, Duty, Lever, Parameter
from app.engine.texts import BY_UNIT
from app.engine.tree import BOOLEAN, DATE, INPUT_LIMIT, TEXT, TIME, Const, Ref, Type
from app.engine.vocabulary import EVENTS, FACTS, ActionKind, Channel, Fact, Moment

_integer = re.compile(r"^-?[0-9]{1,15}$")
_decimal = re.compile(r"^-?[0-9]{1,15}\.[0-9]{1,12}$")
_day_or_time = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_spelt_number = re.compile(
    r"(?P<sign>-?)(?P<money>¥?)(?P<figure>[0-9][0-9_,]*(\.[0-9]*)?|\.[0-9]+)(?P<power>e[0-9]{1,2})?(?P<share>%?)", re.IGNORECASE
)
_thousands = re.compile(r"[0-9]{1,3}([,_][0-9]{3})+(\.[0-9]*)?")
_day_otherwise = re.compile(r"[0-9]{4}[-/.年][0-9]{1,2}[-/.月]")

UNITS = frozenset({*BY_UNIT, *(fact.unit for fact in FACTS.values() if fact.unit)})
"""Units that a figure of a pack may have."""


def type_of(fact: Fact) -> Type:
    """A fact of the vocabulary as the language sees it."""
    size = max(abs(fact.least or 0), abs(fact.most or 0)) or INPUT_LIMIT
    return Type(fact.kind, fact.unit, fact.integral, float(min(size, INPUT_LIMIT)), fact.values)


def custom_type(fact: CustomFact) -> Type:
    """An operator's own fact as the language sees it."""
    if fact.type in ("int", "money"):
        return Type("number", fact.unit or ("money" if fact.type == "money" else ""), integral=True)
    return Type(fact.type, fact.unit, values=tuple(fact.values))


def literal(text: str) -> tuple[Any, Type]:
    """A parameter's value: a whole number, a decimal, true or false, else text."""
    if _integer.match(text):
        return int(text), Type("number", integral=True, most=float(abs(int(text))))
    if _decimal.match(text):
        return float(text), Type("number", most=abs(float(text)))
    if text in ("true", "false"):
        return text == "true", BOOLEAN
    return text, TEXT


def not_a_number(text: str, unit: str) -> bool:
    """Is a parameter's value meant as a number, by its unit or by how it begins, without being one? Days and times are text."""
    if literal(text)[1].kind == "number":
        return False
    first = unicodedata.normalize("NFKC", text).strip()[:1]
    return bool(unit) or ((first.isdigit() or first in ("+", "-", "−", ".", "¥", "$", "€", "%")) and not _day_or_time.fullmatch(text))


def number_hint(text: str) -> str:
    """How to write what was meant as a number."""
    plain = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    if _day_otherwise.match(plain):
        return "a day is written as 2026-01-31"
    meant = _meant(plain.removeprefix("+"))
    return (f"write `{meant}`: " if meant else "") + "money is in fen, shares from 0 to 1, decimals with a point"


def _meant(plain: str) -> str:
    """The number that a text spells in another way, or nothing."""
    found = _spelt_number.fullmatch(plain)
    if not found:
        return ""
    figure = found["figure"]
    if _thousands.fullmatch(figure) or "." in figure or "_" in figure:
        figure = re.sub("[,_]", "", figure)
    else:
        figure = figure.replace(",", ".", 1)
    if not re.fullmatch(r"[0-9]{0,15}(\.[0-9]*)?", figure):
        return ""
    value = Decimal(figure.rstrip(".") + (found["power"] or "")) * (100 if found["money"] else 1) / (100 if found["share"] else 1)
    if value >= INPUT_LIMIT:
        return ""
    written = f"{found['sign']}{round(value, 12):f}"
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return written if literal(written)[1].kind == "number" else ""


def constant(parameter: Parameter) -> Const | None:
    """A parameter as a constant; none when a list mixes kinds."""
    if isinstance(parameter.value, str):
        value, kind = literal(parameter.value)
        return Const(value, replace(kind, unit=parameter.unit), parameter.id)
    parts = [literal(item) for item in parameter.value]
    kinds = {kind.kind for _, kind in parts}
    if len(kinds) > 1:
        return None
    return Const(frozenset(value for value, _ in parts), Type("set", parameter.unit, model=kinds.pop() if kinds else "text"), parameter.id)


_enum = {
    name: Type("enum", values=get_args(alias))
    for name, alias in {"kind": ActionKind, "lever": Lever, "duty": Duty, "approve": Approve, "confirm": Confirm}.items()
}
_whole = Type("number", "months", integral=True, most=120)

ACTION_NAMES: Mapping[str, Type] = {
    "action.id": TEXT,
    "action.kind": _enum["kind"],
    "action.lever": _enum["lever"],
    "action.duty": _enum["duty"],
    "action.category": TEXT,
    "action.purpose": Type("enum", values=("none", "port_assistance")),
    "action.marketing": BOOLEAN,
    "action.concession": Type("number", "money", integral=True),
    "action.commitment_months": _whole,
    "action.approve": _enum["approve"],
    "action.confirm": _enum["confirm"],
    "action.tariff": TEXT,
}
WORKED_OUT = ("action.duty", "action.concession")
"""What an action's other expressions may read, but not those that give it."""
TARIFF_NAMES: Mapping[str, Type] = {
    "tariff.kind": Type("enum", values=("plan", "pack", "contract", "benefit")),
    "tariff.fee": Type("number", "money", integral=True),
    "tariff.fee_after": Type("number", "money", integral=True),
    "tariff.exit_fee": Type("number", "money", integral=True),
    "tariff.months": _whole,
    "tariff.commitment_months": _whole,
}
CLOCK_NAMES: Mapping[str, Type] = {
    "clock.time": TIME,
    "clock.weekday": Type("number", "count", integral=True, most=7),
    "clock.holiday": BOOLEAN,
}
BEST_PLAN = "plan.best_public_id"
"""What an action names as its tariff where the plan is worked out for each person."""
BEST = {BEST_PLAN: TEXT, "plan.best_public_saving": Type("number", "money")}

_attributes = {kind.name: {name: type_of(fact) for name, fact in kind.attributes.items()} for kind in EVENTS.values()}
PORT_HINT = "port data is for guardrails, `hands_off:` and actions of `purpose: port_assistance`"


@dataclass
class Scopes:
    """The names of one pack, by place. Derived facts are added as they are read, to `broken` where they have a mistake."""

    parameters: Mapping[str, Const]
    custom: Mapping[str, Type]
    signals: Mapping[str, tuple[str, ...]]
    stages: tuple[str, ...]
    phases: tuple[str, ...]
    plans: tuple[str, ...]
    actions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    derived: dict[str, Ref] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def facts(self, port: bool = False) -> ChainMap[str, Any]:
        """Base facts, parameters, custom and derived facts, those too that are added later."""
        return ChainMap[str, Any](self.derived, self.with_port if port else self.without_port)

    @cached_property
    def with_port(self) -> dict[str, Ref | Const]:
        """What is known before any fact is derived."""
        kinds = {**{name: type_of(fact) for name, fact in FACTS.items()}, **BEST, **self.custom}
        return {**{name: Ref(name, kind) for name, kind in kinds.items()}, **self.parameters}

    @cached_property
    def without_port(self) -> dict[str, Ref | Const]:
        """The same without port data."""
        return {name: node for name, node in self.with_port.items() if name not in FACTS or not FACTS[name].port}

    def names(self, extra: Mapping[str, Type] | None = None, *, port: bool = False, clock: str = "as_of") -> Names:
        """Names for one place: the facts and what the place adds."""
        added = {name: Ref(name, kind) for name, kind in (extra or {}).items()}
        values = ChainMap[str, Any](added, self.derived, self.with_port if port else self.without_port)
        return Names(
            values=values,
            events={name: kinds for name, kinds in _attributes.items() if port or not EVENTS[name].port},
            signals=self.signals,
            plans=self.plans,
            elsewhere={name: hint for name, hint in self.elsewhere(port).items() if name not in values},
            contact_filters={**self.of_actions, "kind": _enum["kind"], "channel": Type("enum", values=get_args(Channel))},
            clock=clock,
            broken=self.broken,
        )

    def elsewhere(self, port: bool) -> dict[str, str]:
        """Names that exist, with where they may be used."""
        found = dict.fromkeys(ACTION_NAMES, "it is known in gates, contact policy and guardrails")
        found |= dict.fromkeys(TARIFF_NAMES, "it is known in the gates and texts of an action with a fixed tariff")
        found |= dict.fromkeys(CLOCK_NAMES, "it is known in contact policy and guardrails")
        found |= {
            "phase": "it is known in gates, contact policy and guardrails",
            "stage": "it is known from phases on",
            "moment": "it is known from phases on",
        }
        if not port:
            found |= {name: PORT_HINT for name, fact in FACTS.items() if fact.port}
            found |= {f"events.{kind.name}": PORT_HINT for kind in EVENTS.values() if kind.port}
        return found

    @property
    def placed(self) -> dict[str, Type]:
        """What phases may use beside facts."""
        return {"stage": Type("enum", values=self.stages), "moment": Type("enum", values=(*get_args(Moment), "none"))}

    @property
    def placing(self) -> dict[str, Type]:
        """What is known once the phase is."""
        return {**self.placed, "phase": Type("enum", values=self.phases)}

    @property
    def of_actions(self) -> dict[str, Type]:
        """The ids and categories of the pack's actions, as types."""
        return {"action": Type("enum", values=self.actions), "category": Type("enum", values=self.categories)}

    @property
    def acting(self) -> dict[str, Type]:
        """What gates, contact policy and guardrails may use beside facts."""
        own = {"action.id": self.of_actions["action"], "action.category": self.of_actions["category"]}
        return {**self.placing, **ACTION_NAMES, **own}

    def gate(self, *, port: bool, tariff: bool, worked_out: bool = True) -> Names:
        """Names for an action's gates and scores; `tariff`: is it fixed, `worked_out`: are the duty and the concession."""
        extra = {**self.acting, **TARIFF_NAMES} if tariff else self.acting
        return self.names({name: kind for name, kind in extra.items() if worked_out or name not in WORKED_OUT}, port=port)

    def contact(self) -> Names:
        """Names for contact policy."""
        return self.names({**self.acting, **CLOCK_NAMES}, clock="contact_at")

    def guardrail(self) -> Names:
        """Names for guardrails."""
        return self.names({**self.acting, **CLOCK_NAMES}, port=True, clock="contact_at")

    def pattern(self, aliases: Mapping[str, str], port: bool = False) -> Names:
        """Names for a pattern's joins: each alias's attributes, its time and its age in days."""
        values: dict[str, Ref | Const] = dict(self.parameters)
        for alias, kind in aliases.items():
            values[f"{alias}.at"] = Ref(f"{alias}.at", Type("number", "instant", integral=True, most=1e15))
            values[f"{alias}.days"] = Ref(f"{alias}.days", Type("number", "days", integral=True, most=1e6))
            for name, fact in EVENTS[kind].attributes.items():
                values[f"{alias}.{name}"] = Ref(f"{alias}.{name}", type_of(fact))
        return Names(values, broken=self.broken)


TODAY = Ref("today", DATE)
