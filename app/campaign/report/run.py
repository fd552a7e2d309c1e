"""A run of a campaign and its figures, beside those of the run before."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from app.campaign.figures import Figures, figures_of
from app.campaign.problems import TableError
from app.campaign.summary import titles_of

if TYPE_CHECKING:
    from app.campaign.watch import Day
    from app.engine.pack import Pack
    from app.engine.texts import Language


@dataclass(frozen=True, slots=True)
class Run:
    """A run: of which campaign, with which pack, over what.

    Attributes:
        campaign: its name; runs of one name are compared with each other.
        pack: name and version of the pack.
        digest: the pack's digest.
        source: the file or folder that was read, by its name alone.
        channel: on which the subscribers are met; none where each row says so.
        started: when the run began.
        seconds: how long it took, not counting pauses.
    """

    campaign: str
    pack: str
    digest: str
    source: str
    channel: str | None
    started: datetime.datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Limited:
    """What limits over everybody came to, beside what they held.

    Attributes:
        given: concessions of what goes out, in the currency's smallest unit.
        cost: of the contacts, in the same.
        beyond: contacts that are owed and go out beyond a limit, by limit.
        contacted: people whom campaigns of the name had reached when complaints stopped it; none where nothing stopped it.
        complaints: those of them who had complained.
    """

    given: int
    cost: int
    beyond: Mapping[str, int]
    contacted: int | None = None
    complaints: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a run's subscribers; `before` is the last run of the same campaign, where there was one, `watch` what was found of
    watched signals and tiers, where they are watched, and `limited` what limits came to, where there are some."""

    run: Run
    figures: Figures
    before: Report | None = None
    watch: Day | None = None
    limited: Limited | None = None


def as_json(report: Report) -> dict[str, Any]:
    """A run as JSON values: what it was, and its figures. The run before is named; its figures are its own."""
    run = {**asdict(report.run), "started": report.run.started.isoformat()}
    last = None if report.before is None else {"started": report.before.run.started.isoformat(), "digest": report.before.run.digest}
    limited = None if report.limited is None else asdict(replace(report.limited, beyond=dict(report.limited.beyond)))
    watched = report.watch and report.watch.as_json()
    return {"run": run, "figures": report.figures.as_json(), "last_run": last, "limits": limited, "watch": watched}


def report_of(data: Any) -> Report:
    """A run as it was written, but for what was watched, which the watch folder has, and what limits came to.

    Args:
        data: the JSON values that `as_json` gave.

    Raises:
        TableError: they are no report of a campaign.
    """
    try:
        run = dict(data["run"])
        return Report(Run(**{**run, "started": datetime.datetime.fromisoformat(run["started"])}), figures_of(data["figures"]))
    except (KeyError, TypeError, ValueError):
        raise TableError("this is no report of a campaign") from None


def titles_for(pack: Pack, language: Language) -> dict[str, str]:
    """The titles of what a report names and a pack has: `titles_of`, and every contact clause and guardrail."""
    rules = {**pack.contact_rules, **pack.guardrail_rules}
    return {**{name: rule.title.say(language) for name, rule in rules.items()}, **titles_of(pack, language)}
