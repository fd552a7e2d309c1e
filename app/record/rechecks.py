"""Whether actions that were decided may still go out, as the record and the caller know it by now; and the entries that say who asked."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection

from app.engine.case import Case
from app.engine.explain import explain_outcome
from app.engine.intake import CaseError, FieldProblem
from app.engine.intake.renewing import FreshContext, contact_time, renewed
from app.engine.pack import Pack
from app.engine.rechecking import Still, still
from app.engine.texts import language_of
from app.engine.vocabulary import Contact
from app.engine.vocabulary.choices import Choice
from app.record.callers import Caller
from app.record.choices import standing_by_token
from app.record.contacts import contacts_with
from app.record.entries import NewEntry
from app.record.keys import Keys
from app.record.reading.many import Newest, Theirs, newest_about, outcomes_by_decision, read_decisions
from app.record.reading.recorded import Recorded
from app.record.reading.remaking import answer_made, keeps_no_answer

WORDS: Mapping[str, tuple[str, str]] = {
    "not_found": ("There is no such decision.", "没有该决策。"),
    "erased": ("The person this was about was erased.", "该用户的个人信息已删除。"),
    "other_subscriber": ("The decision was about somebody else.", "该决策针对的是其他用户。"),
    "not_offered": ("The decision did not offer this action.", "该决策的推荐中没有此项。"),
    "told": ("It was sent, or answered, before.", "此项此前已发送或用户已有回应。"),
    "expired": ("The time for it is over.", "已过有效期。"),
    "withdrawn": ("The rules in force do not have this action any more.", "现行规则已不包含此项。"),
    "changed": ("It would come from another tariff now; decide anew.", "现在适用的资费已变化，请重新决策。"),
    "port_out_in_progress": ("A port-out is under way.", "携号转网办理中。"),
    "account_closed": ("The account is closed or closing.", "账户已销户或正在销户。"),
}
"""What is said of a cause that is not an outcome's."""
DONE = frozenset({"sent", "accepted", "refused", "ignored", "activated", "left"})
"""Outcomes after which an action of a decision does not go out again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An action that is about to go out, and what its sender knows of the person by now."""

    decision_id: str
    action: str
    fresh: FreshContext | None = None
    contact_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Rechecked:
    """Whether an action may go out; if not, why, and until when, where it ends.

    Attributes:
        cause: one word; none where it may go out.
        clause: of the pack, where one is the cause.
        words: the cause in words.
        until: the first time at which the clause permits it, if nothing else happens.
        decision: what was rechecked; none where there is no such decision.
    """

    cause: str | None = None
    clause: str | None = None
    words: str | None = None
    until: datetime.datetime | None = None
    decision: Recorded | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the record knows of the decisions and the persons in one call."""

    decisions: Mapping[str, Recorded]
    outcomes: Mapping[str, Mapping[str, tuple[str, str]]]
    choices: Mapping[str, tuple[Choice, ...]]
    contacts: Mapping[str, tuple[Contact, ...]]
    newest: Mapping[str, Newest]


def recheck_all(
    connection: Connection,
    keys: Keys,
    pack: Pack,
    wanted: Sequence[Wanted],
    now: datetime.datetime,
    locale: str,
    theirs: Theirs,
) -> list[Rechecked]:
    """Recheck actions, each on its own; in the order in which they are asked about.

    Args:
        connection: a reading transaction.
        keys: of the record.
        pack: in force.
        wanted: what is about to go out.
        now: the clock.
        locale: language of the words.
        theirs: is a decision one of those that the caller may ask about?

    Raises:
        CaseError: naming every field of what is known by now that makes no case, each beginning with the place of its item.
        DamagedEntry: a decision is not what was recorded.
    """
    known = _known(connection, keys, wanted, theirs)
    problems: list[FieldProblem] = []
    found: list[Rechecked] = []
    for place, asked in enumerate(wanted):
        try:
            item = replace(asked, contact_at=contact_time(asked.contact_at, now))
            found.append(_Recheck(pack, known, item, now, locale).run())
        except CaseError as error:
            problems += [FieldProblem(f"items.{place}.{problem.field}", problem.message) for problem in error.problems]
    if problems:
        raise CaseError(problems)
    return found


def recheck_entry(entry_id: str, now: datetime.datetime, wanted: Wanted, found: Rechecked, pack: str, by: Caller) -> NewEntry | None:
    """The entry that says who asked and what was answered; none of a decision that there is not. It counts for no cap."""
    if found.decision is None:
        return None
    body = found.decision.body
    told = {
        "caller": by.name,
        "role": by.role,
        "agent": by.agent,
        "decision": wanted.decision_id,
        "channel": body["channel"],
        "pack": pack,
        "action": wanted.action,
        "may_send": found.cause is None,
        "cause": found.cause,
        "clause": found.clause,
    }
    return NewEntry(
        entry_id, "recheck", now, {name: value for name, value in told.items() if value is not None}, token=found.decision.subject
    )


def _known(connection: Connection, keys: Keys, wanted: Sequence[Wanted], theirs: Theirs) -> _Known:
    decisions = read_decisions(connection, keys, list({item.decision_id for item in wanted}), theirs)
    tokens = sorted({found.subject for found in decisions.values() if found.subject is not None and found.state == "readable"})
    contacts = {token: contacts_with(connection, token) for token in tokens}
    choices, newest = standing_by_token(connection, tokens), newest_about(connection, tokens)
    return _Known(decisions, outcomes_by_decision(connection, decisions), choices, contacts, newest)


@dataclass(frozen=True, slots=True)
class _Recheck:
    """One action."""

    pack: Pack
    known: _Known
    wanted: Wanted
    now: datetime.datetime
    locale: str

    def run(self) -> Rechecked:
        """What stops it first."""
        found = self.known.decisions.get(self.wanted.decision_id)
        if found is None:
            return self._stopped("not_found", None)
        case = found.case
        if case is None:
            return self._stopped("erased", found)
        offered = next((item for item in found.body["offered"] if item["action"] == self.wanted.action), None)
        cause = self._before(found, case, offered)
        if cause is not None or offered is None:
            return self._stopped(cause or "not_offered", found)
        return self._anew(found, self._renewed(found, case), offered)

    def _before(self, found: Recorded, case: Case, offered: Mapping[str, Any] | None) -> str | None:
        """What stops it whatever would be decided."""
        fresh = self.wanted.fresh
        if fresh is not None and fresh.id not in (None, case.subscriber.id):
            return "other_subscriber"
        if offered is None:
            return "not_offered"
        if self.known.outcomes.get(found.id, {}).get(self.wanted.action, ("", ""))[0] in DONE:
            return "told"
        if self._expired(found):
            return "expired"
        return "port_out_in_progress" if self._leaves(found) else None

    def _leaves(self, found: Recorded) -> bool:
        """Does a later decision about the person know of a port-out, of which the caller now says nothing?"""
        fresh = self.wanted.fresh
        silent = fresh is None or not fresh.model_fields_set & {"port", "events"}
        newest = self.known.newest.get(found.subject or "")
        return silent and newest is not None and newest.id > found.id and newest.body.get("moment") == "port_out"

    def _expired(self, found: Recorded) -> bool:
        listed = orjson.loads(self._answer(found) or "{}").get("actions") or ()
        until = next((item.get("valid_until") for item in listed if item.get("action") == self.wanted.action), None)
        return until is not None and datetime.datetime.fromisoformat(until) < (self.wanted.contact_at or self.now)

    def _answer(self, found: Recorded) -> str | bytes | None:
        """The answer that was given; of a campaign, as far as the pack in force is the one that decided, what it would have been."""
        if found.case is None or not keeps_no_answer(found) or found.body["pack"] != self.pack.digest:
            return found.answer
        return answer_made(self.pack, found, found.case)

    def _renewed(self, found: Recorded, case: Case) -> Case:
        token, item = found.subject or "", self.wanted
        contacts, choices = self.known.contacts.get(token, ()), self.known.choices.get(token, ())
        return renewed(self.pack, case, self.now, fresh=item.fresh, contact_at=item.contact_at, contacts=contacts, choices=choices)

    def _anew(self, found: Recorded, case: Case, offered: Mapping[str, Any]) -> Rechecked:
        stands = still(self.pack, case, self.wanted.action, tariff=offered.get("tariff"), stood_in="fallback_for" in offered)
        if stands.cause is None:
            return Rechecked(decision=found)
        if stands.cause in WORDS or stands.outcome is None or stands.decision is None:
            return self._stopped(stands.cause, found)
        return self._worded(found, case, stands)

    def _worded(self, found: Recorded, case: Case, stands: Still) -> Rechecked:
        if stands.decision is None or stands.outcome is None:
            raise ValueError("nothing stops the action")
        told = explain_outcome(self.pack, replace(case, locale=self.locale), stands.decision, stands.outcome)
        return Rechecked(stands.cause, told.clause, told.text, told.until, found)

    def _stopped(self, cause: str, found: Recorded | None) -> Rechecked:
        return Rechecked(cause, None, WORDS[cause][language_of(self.locale) == "zh"], None, found)
