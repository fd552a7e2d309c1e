"""A batch in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from app.campaign.batch import PLACE
from app.campaign.wording.actions import action_words
from app.campaign.wording.filling import Sheet
from app.campaign.wording.lines import lines_of
from app.campaign.wording.phases import phase_words
from app.campaign.wording.views import View

if TYPE_CHECKING:
    from app.campaign.deciding import Decided
    from app.campaign.wording.lines import Lines
    from app.engine.pack.model import Pack
    from app.engine.texts import Language


@dataclass(frozen=True, slots=True)
class Worded:
    """A batch in words. `i` is the place in the batch.

    Attributes:
        actions: a row an action on a list, by `i` and `rank`: `action`, `title`, `kind`, `category`; `text`, what is said on the channel,
            and its `form`, `script` or `text`; `reasons`, the texts in their order, and `reason_codes`; `customer_reasons`, if asked for,
            null for a reason without words for customers; `approve`, `confirm`, `disclose`; `tariff`, `tariff_name`, `tariff_disclose` and
            `saving` in fen per cycle; `valid_until` in microseconds since 1970; `fallback_for`.
        signals: the signals that hold, in the order of the decisions: `i`, `signal`, `title`, `level`, `text`.
        phases: a row a subscriber: `i`, `phase_title`, `stage_title`, `phase_reasons`.
    """

    actions: pl.DataFrame
    signals: pl.DataFrame | None
    phases: pl.DataFrame | None


def word_batch(
    pack: Pack, decided: Decided, language: Language, *, customers: bool = False, signals: bool = False, phases: bool = False
) -> Worded:
    """Put a batch into words.

    Args:
        pack: what decided.
        decided: the result.
        language: of all words.
        customers: with the words of reasons that customers may read.
        signals: with every signal that holds, whether an action rests on it or not.
        phases: with why each subscriber is in their phase.
    """
    lines = lines_of(pack)[language]
    return Worded(
        action_words(pack, decided, lines, customers=customers),
        _signal_words(decided, lines) if signals else None,
        phase_words(decided, lines) if phases else None,
    )


def _signal_words(decided: Decided, lines: Lines) -> pl.DataFrame:
    sheet, held = Sheet(lines.pack, lines.language), decided.signals.with_row_index("n")
    for worked in decided.worked:
        view = View.of(worked, held)
        for (name,), rows in view.rows.partition_by("signal", as_dict=True).items():
            sheet.add(lines.signal(str(name)), rows.select("n"), view.told(rows))
    nothing = pl.DataFrame(schema={"n": pl.UInt32, "text": pl.String})
    said = pl.concat([nothing, *(rows.select("n", "text") for _, rows in sheet.filled())]).sort("n")
    title = pl.col("signal").replace_strict(lines.signals, return_dtype=pl.String).alias("title")
    return held.hstack([said["text"]]).select(PLACE, "signal", title, "level", "text")
