"""How a pack sells: confirmation, channels, terms, and what is on sale at all (DOMAIN 8)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from app.engine.pack.checking import Parts
from app.engine.pack.documents import ActionDocument, TariffPart, Words
from app.engine.pack.names import BEST_PLAN
from app.engine.pack.reading import Found
from app.engine.problems import Place, Problem
from app.engine.texts import LANGUAGES

LONGEST_TERM = 24
"""Months that a person may be bound for: the longest term that the consumer law of the profiles we ship allows."""
SALE_ENDS = 30
"""Days before the end of a sale from which on it is told of."""

_selling = {
    "en": re.compile(
        r"\b(discount|special (offer|price|deal)|better (offer|price|deal)|bonus|voucher|reward|cashback|stay with us)\b", re.I
    ),
    "zh": re.compile("优惠(价|套餐|活动|券)|折扣|打折|减免|返现|赠送|红包|专属资费|别走|留下来"),
}
"""Words that help with porting has no use for."""


def selling_problems(parts: Parts) -> Iterator[Problem]:
    """A problem for each action, and each tariff, that sells as it may not."""
    for found in parts.actions.values():
        yield from _confirmation(parts, found)
        yield from _channels(found)
        yield from _hands_off(parts, found)
        yield from _assistance(found)
        if found.part.concedes and found.part.approve == "none":
            message = f"`{found.part.action}` concedes something and nobody approves it"
            hint = "write `approve: agent`, or `by_amount` for the limits of the roles"
            yield Problem(found.place("concession"), "concession-without-approval", message, hint, "warning")
    for name, tariff in parts.tariffs.items():
        if tariff.part.commitment_months > LONGEST_TERM:
            message = f"`{name}` binds for {tariff.part.commitment_months} months, longer than {LONGEST_TERM}"
            hint = "shorten it, or make two tariffs of it and let the person choose again"
            yield Problem(tariff.place("commitment_months"), "long-commitment", message, hint, "warning")


def sale_problems(parts: Parts, today: datetime.date) -> Iterator[Problem]:
    """A problem for each action whose tariff is not on sale today, a warning where the sale begins later or ends soon."""
    for found in parts.actions.values():
        name = found.part.tariff
        if name in parts.tariffs:
            problem = _sale(found.place("tariff"), found.part.action, parts.tariffs[name].part, today)
            if problem is not None:
                yield problem


def _sale(place: Place, action: str, tariff: TariffPart, today: datetime.date) -> Problem | None:
    end, known = tariff.on_sale_to, f"the tariff `{tariff.id}` of `{action}`"
    if tariff.on_sale_from > today:
        message = f"{known} is on sale from {tariff.on_sale_from} only"
        return Problem(place, "sale-ends", message, "until then the action is never offered", "warning")
    if end is None or (end - today).days > SALE_ENDS:
        return None
    if end < today:
        message = f"{known} was withdrawn on {end}"
        return Problem(place, "withdrawn-tariff", message, "name one that is on sale, or take the action out")
    message = f"{known} is on sale until {end} only"
    return Problem(place, "sale-ends", message, "name the tariff that follows it, or plan to take the action out", "warning")


def _confirmation(parts: Parts, found: Found[ActionDocument]) -> Iterator[Problem]:
    """A contract changes with the holder's confirmation, anything else that is opened with a double one."""
    part = found.part
    if part.tariff is None or part.kind in ("information", "escalation"):
        return
    place = found.place("confirm") if "confirm" in part.model_fields_set else found.place("tariff")
    why = _binding(parts, part.tariff)
    if why and part.confirm != "holder":
        message = f"`{part.action}` changes the contract ({why}) and is confirmed by `{part.confirm}`"
        yield Problem(place, "contract-without-holder", message, "write `confirm: holder`")
    elif part.confirm not in ("double", "holder"):
        message = f"`{part.action}` opens `{part.tariff}` and is confirmed by `{part.confirm}`"
        yield Problem(place, "offer-unconfirmed", message, "write `confirm: double`: the person's own reply, tap, code or signature")


def _binding(parts: Parts, name: str) -> str:
    """What of a tariff makes it a change of contract, in words; nothing where it is none."""
    if name == BEST_PLAN:
        return "another plan"
    if name not in parts.tariffs:
        return ""
    tariff = parts.tariffs[name].part
    if tariff.kind in ("plan", "contract"):
        return f"a tariff of the kind `{tariff.kind}`"
    if tariff.commitment_months:
        return f"a term of {tariff.commitment_months} months"
    return "an exit fee" if tariff.exit_fee else ""


def _channels(found: Found[ActionDocument]) -> Iterator[Problem]:
    part = found.part
    if "sms_service" in part.channels and (part.kind == "offer" or part.marketing):
        message = f"`{part.action}` is {'an offer' if part.kind == 'offer' else 'marketing'} and goes out by service SMS"
        yield Problem(found.place("channels", "sms_service"), "offer-on-service-sms", message, "move the text to `sms_marketing:`")


def _hands_off(parts: Parts, found: Found[ActionDocument]) -> Iterator[Problem]:
    """While hands are off nothing is sold: neither by an action of that phase nor by one that then stands in for an empty list."""
    part = found.part
    what = "is an offer" if part.kind == "offer" else "is marketing" if part.marketing else "concedes something" if part.concedes else ""
    if what and "hands_off" in part.phases:
        hint = "only what is owed and help with porting belong there: take `hands_off` out of `phases:`"
        yield Problem(found.place("phases"), "offer-in-hands-off", f"`{part.action}` is taken in `hands_off` and {what}", hint)
    causes = {item.part.id for profile in parts.profiles.values() for item in profile.hands_off}
    for entry, cause in parts.draft.merged("fallback"):
        if what and cause in causes and part.action in entry.part:
            message = f"`{part.action}` is the fallback for `{cause}` and {what}"
            hint = "only what is owed and help with porting belong there: name another action"
            yield Problem(entry.place(), "offer-in-hands-off", message, hint)


def _assistance(found: Found[ActionDocument]) -> Iterator[Problem]:
    """Help with porting sells nothing."""
    part = found.part
    if part.purpose != "port_assistance":
        return
    hint = "help with porting says which conditions are met and how to meet the others"
    for key, given in (("tariff", part.tariff), ("marketing", part.marketing)):
        if given:
            message = f"`{part.action}` helps with porting and has `{key}:`"
            yield Problem(found.place(key), "port-assistance-sells", message, hint)
    for path, words in _texts(part):
        for language in LANGUAGES:
            said = _selling[language].search(getattr(words, language))
            if said:
                message = f"`{part.action}` helps with porting and speaks of `{said[0]}`"
                yield Problem(found.place(*path, language), "port-assistance-sells", message, hint)


def _texts(part: ActionDocument) -> Iterator[tuple[tuple[str, ...], Words]]:
    """An action's texts for people, with their paths."""
    for key in ("reason", "customer", "disclose"):
        words = getattr(part, key)
        if words is not None:
            yield (key,), words
    for channel, script in part.channels.items():
        form = "script" if script.script else "text"
        yield ("channels", channel, form), getattr(script, form)
