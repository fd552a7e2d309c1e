"""Why a campaign is not opened, not gone on with, or does not take what it is given."""

from __future__ import annotations

from collections.abc import Mapping

from app.engine.vocabulary.choices import Choice


class CampaignProblem(Exception):
    """The campaign does not take this; the message says why, and what would do."""


class NoSuchCampaign(CampaignProblem):
    """There is no campaign with this id."""


class CampaignDiffers(CampaignProblem):
    """Another input, pack or mapping than the campaign was opened with."""


class CampaignOver(CampaignProblem):
    """The campaign was closed: it takes nothing more."""


class CampaignBusy(CampaignProblem):
    """Another process is at work on the campaign."""


class RowsRefused(CampaignProblem):
    """Subscribers of these rows chose otherwise than their cases say. Nothing of the part was stored: decide these rows again."""

    def __init__(self, choices: Mapping[int, tuple[Choice, ...]]) -> None:
        """
        Args:
            choices: by number of the row, what its subscriber chose and did not take back, oldest first.
        """
        rows = ", ".join(map(str, sorted(choices)[:5]))
        super().__init__(f"{len(choices)} subscribers chose otherwise than their cases say (rows {rows}{' …' * (len(choices) > 5)})")
        self.choices = choices
