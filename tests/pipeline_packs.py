"""Small packs for tests of one stage: everything a pack needs is there and does nothing; a test adds what it is about."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from app.engine.case import Case
from app.engine.decide import decide
from app.engine.decision import Decision, Outcome
from app.engine.pack import Pack
from tests.pipeline import case_of, pack_of

NOON = datetime.datetime(2026, 11, 18, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
"""A Wednesday."""
DAY = datetime.timedelta(days=1)
SECOND = datetime.timedelta(seconds=1)


def both(text: str) -> dict[str, str]:
    """The same words in both languages."""
    return {"en": text, "zh": text}


def signal(name: str, *levels: tuple[str, str], reason: str = "Because.") -> dict[str, Any]:
    return {"id": name, "title": both(name), "levels": [{word: test} for word, test in levels], "reason": both(reason)}


def fact(name: str, test: str, **more: Any) -> dict[str, Any]:
    return {"id": f"facts.{name}", "title": both(name), "is": test, **more}


def table(name: str, *rows: tuple[str | None, str], values: Sequence[str] = ()) -> dict[str, Any]:
    first = [{"is": word} if test is None else {"if": test, "is": word} for test, word in rows]
    return {"id": f"facts.{name}", "title": both(name), **({"values": list(values)} if values else {}), "first": first}


def rule(name: str, permits: str, applies: str | None = None, allow: bool = False) -> dict[str, Any]:
    """A clause of contact policy."""
    found: dict[str, Any] = {"id": name, "title": both(name), "permits": permits, "reason": both(f"Not {name}.")}
    if applies is not None:
        found["applies"] = applies
    return found | ({"unknown": "allow", "because": both("Why not.")} if allow else {})


def guard(name: str, permits: str, applies: str | None = None, allow: bool = False) -> dict[str, Any]:
    """A guardrail."""
    return rule(name, permits, applies, allow) | {"source": both("A law."), "checked": "yes"}


def tariff(name: str, **more: Any) -> dict[str, Any]:
    fixed = {
        "id": name,
        "kind": "pack",
        "name": both(name),
        "filing_no": "TEST0001",
        "fee": 1000,
        "fee_after": 1000,
        "regions": ["all"],
        "on_sale_from": "2026-01-01",
        "effective": "at_once",
        "disclose": both(DISCLOSED),
    }
    return fixed | more


PRICED = "Hello: {tariff.fee:money} for {tariff.months:months}, then {tariff.fee_after:money}."
"""What an offer says at least."""
DISCLOSED = f"{PRICED} Leaving early: {{tariff.exit_fee:money}}, bound for {{tariff.commitment_months:months}}."


def act(kind: str = "care", **more: Any) -> dict[str, Any]:
    """An action that is always possible, fits retention, is worth 100 and goes out by app and call centre."""
    duty = {"offer": "offer", "care": "care"}.get(kind, "owed")
    fixed: dict[str, Any] = {
        "title": both("Title"),
        "kind": kind,
        "lever": "service",
        "duty": duty,
        "category": "plain",
        "phases": ["retention"],
        "propensity": "0.5",
        "value": "200",
        "reason": both("The reason."),
        "channels": channels(both(PRICED if kind == "offer" else "Hello.")),
    }
    return fixed | ({"tariff": "small_pack", "confirm": "holder"} if kind == "offer" else {}) | more


def channels(words: Mapping[str, str]) -> dict[str, Any]:
    """The same words in the app and on the phone."""
    return {"app": {"text": words}, "call_centre": {"script": words}}


def mini(actions: Mapping[str, Mapping[str, Any]] | None = None, **parts: Any) -> Pack:
    """A pack of the given actions; `parts` replace top-level keys (`contact=[…]`, `clauses=[…]` and `hands_off=[…]` of the guardrails)."""
    return pack_of(mini_files(actions, **parts))


def mini_files(actions: Mapping[str, Mapping[str, Any]] | None = None, **parts: Any) -> dict[str, bytes]:
    even = {"policy": 1, "service": 1, "emotional": 1}
    port = {"id": "port_out_in_progress", "title": both("Port"), "when": "port.state == 'applied'", "moment": "port_out"}
    closed = {"id": "account_closed", "title": both("Closed"), "when": "account.status == 'cancelled'"}
    source = {"source": both("A law."), "checked": "yes"}
    document: dict[str, Any] = {
        "pack": {"name": "mini", "version": "1.0.0", "jurisdiction": "cn", "currency": "CNY", "zone": "Asia/Shanghai", "salt": "mini-salt"},
        "stages": [{"id": "stable", "title": both("Stable")}],
        "moments": [{"id": "complaint", "title": both("Complaint"), "relevance": {"plain": 2}}],
        "phases": [{"id": "hands_off", "title": both("Off"), "mix": even}, {"id": "retention", "title": both("Keep"), "mix": even}],
        "tariffs": [tariff("small_pack")],
        "arbitration": {
            "max_actions": 10,
            "per_category": 10,
            "commitments": 1,
            "service_first": ["fault"],
            "concession": {"agent": 3000, "self_service": 0},
            "valid_days": 7,
        },
        "contact": [],
        "guardrails": {
            "jurisdiction": "cn",
            "hands_off": [{**port, **source}, {**closed, **source}],
            "clauses": parts.pop("clauses", []),
        },
    }
    hands_off = parts.pop("hands_off", None)
    if hands_off is not None:
        document["guardrails"]["hands_off"] = [{**item, **source} for item in hands_off]
    arbitration = parts.pop("arbitration", {})
    document["arbitration"] |= arbitration
    files = {f"rules/{key}.yaml": _text({key: value}) for key, value in (document | parts).items() if value != []}
    for name, fields in (actions if actions is not None else {"plain": act()}).items():
        files[f"policies/actions/{name}.yaml"] = _text({"action": name, **fields})
    return files


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(document: Mapping[str, Any]) -> bytes:
    return yaml.dump(document, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=4000).encode()


def ask(pack: Pack, subscriber: Mapping[str, Any] | None = None, role: str = "agent", **request: Any) -> Case:
    """A case at noon by app, of a subscriber about whom the given sections are known."""
    known = {"events": [], "contacts": [], "account": {"status": "active"}, "port": {"state": "none"}}
    body = {
        "channel": "app",
        "mode": "what_if",
        "as_of": NOON.isoformat(),
        "locale": "en",
        "max_actions": 10,
        "subscriber": {"id": "s-1", **known, **(subscriber or {})},
        **request,
    }
    body["subscriber"] = {name: value for name, value in body["subscriber"].items() if value is not None}
    return case_of(pack, body, role)


def answer(pack: Pack, subscriber: Mapping[str, Any] | None = None, role: str = "agent", **request: Any) -> Decision:
    """What is decided for such a case."""
    return decide(pack, ask(pack, subscriber, role, **request))


def listed(decision: Decision) -> list[str]:
    """The actions on the list, in order."""
    return [item.action for item in decision.ranked]


def fate(decision: Decision, action: str = "plain") -> Outcome:
    """What became of an action."""
    return next(item for item in decision.outcomes if item.action == action)


def fact_value(decision: Decision, pack: Pack, name: str) -> Any:
    """The value of a named fact."""
    return decision.facts.values[pack.slots[name]]


def ago(days: float = 0, seconds: float = 0) -> str:
    """So long before noon."""
    return (NOON - datetime.timedelta(days=days, seconds=seconds)).isoformat()
