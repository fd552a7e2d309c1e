"""Where the files of a job are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:  # who only hands files out needs none of what writes them
    from app.campaign.output import Form

OUT = "out"
"""What came of campaigns stands there, in a folder for each."""
WATCH = "watch"
"""What is watched from run to run stands there, in a folder for each campaign of a system."""
ERASED = "erased"
"""Who was erased is noted there, until they are out of every file."""
OURS = (OUT, WATCH, ERASED)
"""Where the service writes."""
REPORT = "report"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a job are.

    Attributes:
        folder: that the service shares with whoever hands files over.
        job: id of the job.
    """

    folder: Path
    job: str

    @property
    def out(self) -> Path:
        """The folder of what came of it."""
        return self.folder / OUT / self.job

    def decisions(self, form: Form) -> Path:
        """The file of its decisions."""
        return self.out / f"decisions.{form}"

    @property
    def lists(self) -> Path:
        """The folder of its lists for local teams."""
        return self.out / "lists"

    @property
    def erased(self) -> Path:
        """Who was erased while it was under way."""
        return self.out / ".erased"

    def watch(self, system: str, name: str) -> Path:
        """The folder of what is watched of a system's campaigns of a name."""
        return self.folder / WATCH / quote(system, safe="") / quote(name, safe="")

    def report(self, ending: str) -> Path:
        """Its report, as `html` or `json`."""
        return self.out / f"{REPORT}.{ending}"

    def rejects(self, form: Form) -> Path:
        """The rows that could not be decided."""
        decisions = self.decisions(form)
        return decisions.with_name(f"{decisions.name}.rejects.ndjson")
