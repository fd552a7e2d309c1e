"""How far somebody may search: whose entries, by which filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.api.bodies import Refused
from app.api.calls import Call
from app.api.problems import problem
from app.api.recorded import REVIEWERS
from app.engine.intake import FieldProblem
from app.engine.pack.model import Restrictions
from app.engine.view import Sight, sight_of
from app.record.callers import Caller

OVERSIGHT: Mapping[str, tuple[str, ...]] = {"privacy_officer": ("read", "erasure", "hold")}
"""Roles that list entries of some kinds only, whoever asked for them: who looked, whom nobody may erase, what was erased."""
CUSTOMERS = frozenset({"kind", "role", "channel", "offered", "tariff", "outcome"})
"""Filters that a customer may use: others would tell what answers to customers leave out."""
_SEEN_ALL = Sight(scores=True, marks=frozenset({"risk", "vip"}), others=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a caller may search.

    Attributes:
        who: that searches.
        only: by filter, the values that they may ask for, all of which are meant where they ask for none.
        always: the same, of names that nobody may have been called by yet.
        sight: signals that they do not see are no filters for them.
    """

    who: Caller
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    always: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sight: Sight = _SEEN_ALL

    def within(self, given: Mapping[str, Sequence[str]], restricted: Restrictions) -> dict[str, list[str]]:
        """What is asked for.

        Raises:
            Refused: they ask for what their role does not list.
        """
        for name, values in {**self.only, **self.always}.items():
            if not set(given.get(name, values)) <= set(values):
                told = (
                    f"the role `{self.who.role}` lists entries of the {name} {' '.join(values)} only; leave `{name}` out, or ask for these"
                )
                raise Refused(problem("forbidden", errors=[FieldProblem(name, told)]))
        for name in given:
            if self.who.role == "self_service" and name not in CUSTOMERS:
                raise _forbidden(name, f"is no filter for the role `{self.who.role}`; leave it out")
        for signal in (value.partition(":")[0] for value in given.get("signal", ())):
            if not restricted.get(signal, frozenset()) <= self.sight.marks:
                raise _forbidden("signal", "is one that the caller does not see; leave it out")
        return {**{name: list(values) for name, values in self.only.items()}, **{name: list(values) for name, values in given.items()}}

    def check_person(self, token: str | None, subscriber: str | None) -> None:
        """See that a customer asks about themselves.

        Raises:
            Refused: they name somebody: whom the token names is meant, and nobody else.
        """
        if self.who.subject is None:
            return
        if token is not None:
            raise _forbidden("subject", "is whom the caller's token names; leave it out")
        if subscriber not in (None, self.who.subject):
            raise _forbidden("X-Subscriber-Id", "is not the subscriber whom the token names; leave it out")


def limits_of(call: Call) -> Limits:
    """How far the caller may search: reviewers through everything, others through their own decisions."""
    who = call.caller
    if who.role in REVIEWERS:
        return Limits(who)
    if who.role in OVERSIGHT:
        return Limits(who, {"kind": OVERSIGHT[who.role]})
    only, sight = {"kind": ("decision",), "role": (who.role,)}, sight_of(who.role, who.grade)
    if who.role == "self_service":
        return Limits(who, only, {}, sight)
    always = {"caller": tuple(dict.fromkeys((*call.services.callers.names_of(who.system), who.name)))}
    if who.agent is not None and not sight.others:
        only["agent"] = (who.agent,)
    return Limits(who, only, always, sight)


def _forbidden(name: str, message: str) -> Refused:
    return Refused(problem("forbidden", errors=[FieldProblem(name, message)]))
