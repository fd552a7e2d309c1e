"""What a campaign is commissioned with, by a command or a caller, checked and made ready to run."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from app.campaign.aside import aside_for
from app.campaign.finishing import Extras, Finishing
from app.campaign.input import batches, input_at
from app.campaign.limits import Limits, load_limits
from app.campaign.mapping import ColumnMapping, load_mapping
from app.campaign.output import Layout, Output
from app.campaign.part import Wanted
from app.campaign.table import Asking
from app.engine.problems import nearest
from app.engine.texts import language_of
from app.engine.vocabulary import FACTS
from app.record.campaigns.model import CampaignHead, HeldEntry

if TYPE_CHECKING:
    from app.campaign.input import Input, InputBatch
    from app.engine.pack import Pack
    from app.engine.vocabulary import Fact
    from app.record.campaigns.campaign import Campaign

SIZE = 50_000
"""Rows that are decided, and go on the record, together."""
_CHANNELS = FACTS["request.channel"].values


class CommissionRefused(Exception):
    """A campaign cannot be run as it was commissioned. `field` is what is wrong with it, none where two things do not fit together."""

    def __init__(self, message: str, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Commission:
    """A campaign that somebody wants to be run.

    Attributes:
        source: a file of subscribers, or a folder of them.
        out: where the decisions go; the ending says the form.
        name: of the campaign; left out, the input's.
        mapping: says which column is which fact; none for NDJSON, and where columns are named as facts.
        channel: on which the subscribers are met; left out, the mapping's.
        contact_at: when they will be contacted, left out: now.
        per: a row for each action, or for each subscriber.
        size: rows that are decided together.
        locale: of the texts; left out, the mapping's, or `zh-CN`.
        what_if: leave no trace.
        limits: what the campaign may spend, and whom there are hands to contact; left out, nothing is limited.
        lists: a folder for the lists of local teams; left out, none are written.
        watch: the campaign's own folder of what is watched from run to run; left out, nothing is.
    """

    source: Path
    out: Path
    name: str | None = None
    mapping: Path | None = None
    channel: str | None = None
    contact_at: datetime.datetime | None = None
    per: Layout = "action"
    size: int = SIZE
    locale: str | None = None
    what_if: bool = False
    limits: Path | None = None
    lists: Path | None = None
    watch: Path | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A campaign that can be run.

    Attributes:
        commission: as it was commissioned.
        name: of the campaign.
        given: the input.
        mapping: the mapping.
        channel: on which the subscribers are met.
        wanted: what is handed back.
        locale: of the texts.
        limits: over everybody; none where nothing is limited.
    """

    commission: Commission
    name: str
    given: Input
    mapping: ColumnMapping | None
    channel: str
    wanted: Wanted
    locale: str
    limits: Limits | None = None

    def head(self, pack: Pack, caller: str, agent: str | None = None) -> CampaignHead:
        """What it is opened with on the record.

        Args:
            pack: what decides.
            caller: who runs it, as callers are named.
            agent: the code of the person who started it.
        """
        commission = self.commission
        options: dict[str, object] = {"per": commission.per, "size": commission.size}
        if commission.contact_at is not None:
            options["contact_at"] = commission.contact_at.isoformat()
        if self.limits is not None:
            options["limits"] = self.limits.digest
        return CampaignHead(
            name=self.name,
            channel=self.channel,
            pack=pack.digest,
            input=f"sha256:{self.given.digest()}",
            caller=caller,
            mapping=None if commission.mapping is None else _digest(commission.mapping),
            locale=self.locale,
            agent=agent,
            options=options,
        )

    def finishing(
        self, pack: Pack, at: datetime.datetime, campaign: Campaign | None = None, before: HeldEntry | None = None
    ) -> Finishing | None:
        """What is done when everybody is decided; none where nothing is.

        Args:
            pack: what decides.
            at: the time of all decisions.
            campaign: on the record; none of a run that leaves no trace.
            before: of a campaign that was closed already, what its limits made of it then.
        """
        if self.wanted.aside is None:
            return None
        begins, day = ((when or at).astimezone(ZoneInfo(pack.zone)).date() for when in (self.commission.contact_at, at))
        extras = Extras(self.limits, self.commission.lists, self.commission.watch, begins, day)
        return Finishing(pack, self.wanted, extras, campaign, before)

    def parts(self, pack: Pack, at: datetime.datetime) -> Iterator[InputBatch]:
        """The input, part by part.

        Args:
            pack: what decides.
            at: the time of all its decisions.

        Raises:
            TableError: the input cannot be read.
        """
        commission = self.commission
        mode: Literal["live", "what_if"] = "what_if" if commission.what_if else "live"
        asking = Asking("campaign", at, mode, self.channel, "summary", self.locale, commission.contact_at)
        return batches(pack, self.given, asking, self.mapping, size=commission.size)


def ready(commission: Commission, own_facts: Mapping[str, Fact]) -> Ready:
    """Check a commission.

    Args:
        commission: what is wanted.
        own_facts: an operator's own facts by name, as the pack types them.

    Raises:
        CommissionRefused: something about it is wrong.
        TableError, MappingError, LimitsError: a file of it cannot be used.
    """
    given = input_at(commission.source)
    mapping = load_mapping(commission.mapping, own_facts) if commission.mapping else None
    request = mapping.document.request if mapping else {}
    channel = channel_of(commission.channel or request.get("channel"))
    if mapping is not None and mapping.as_of is not None and not commission.what_if:
        told = "the mapping says as of when its facts hold, and a campaign on the record decides about now"
        raise CommissionRefused(f"{told}: leave `as_of` out, or try it as a what-if; `contact_at` says when people will be contacted")
    for field in ("lists", "watch"):
        _check_folder(field, getattr(commission, field), commission)
    limits = load_limits(commission.limits, own_facts) if commission.limits else None
    locale = commission.locale or request.get("locale", "zh-CN")
    aside = aside_for(limits, lists=commission.lists is not None, watched=commission.watch is not None)
    wanted = Wanted(Output.at(commission.out), commission.per, language_of(locale), aside)
    return Ready(commission, commission.name or commission.source.stem, given, mapping, channel, wanted, locale, limits)


def _check_folder(field: str, path: Path | None, commission: Commission) -> None:
    if path is None:
        return
    if commission.what_if:
        raise CommissionRefused("a what-if leaves no trace, and this would: leave it out", field)
    if path.exists() and not path.is_dir():
        raise CommissionRefused(f"`{path}` is a file, and a folder is wanted", field)
    if not path.parent.is_dir():
        raise CommissionRefused(f"`{path}`: there is no folder `{path.parent}`", field)


def channel_of(given: str | None) -> str:
    """The channel on which the subscribers are met.

    Raises:
        CommissionRefused: none is given, or there is no such one.
    """
    if given is None:
        raise CommissionRefused("say on which channel the subscribers are to be met, sms_marketing, for instance", "channel")
    if given not in _CHANNELS:
        hint = nearest(given, _CHANNELS) or "expected one of " + ", ".join(_CHANNELS)
        raise CommissionRefused(f"there is no channel `{given}`; {hint}", "channel")
    return given


def _digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
