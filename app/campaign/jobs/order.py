"""What a caller asks for, with files by their names in the folder that the service shares with whoever hands them over."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from app.campaign.commission import SIZE, Commission, CommissionRefused
from app.campaign.jobs.places import OURS, Place
from app.campaign.output import Form, Layout
from app.engine.problems import nearest

_MOST_LOOKED_THROUGH = 2_000
"""Names in a folder among which the nearest one is looked for."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for; as `Commission`, with names in the folder instead of paths."""

    input: str
    mapping: str | None = None
    limits: str | None = None
    lists: bool = False
    watch: bool = False
    name: str | None = None
    channel: str | None = None
    contact_at: datetime.datetime | None = None
    per: Layout = "action"
    form: Form = "parquet"
    size: int = SIZE
    locale: str | None = None
    what_if: bool = False

    def as_json(self) -> dict[str, Any]:
        """As JSON values; what was left out is not there."""
        told = {name: value for name, value in asdict(self).items() if value is not None}
        return told if self.contact_at is None else {**told, "contact_at": self.contact_at.isoformat()}

    @classmethod
    def told(cls, data: Mapping[str, Any]) -> Order:
        """What `as_json` gave; what an earlier release wrote and this one does not know is passed over."""
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        at = known.get("contact_at")
        return cls(**{**known, "contact_at": None if at is None else datetime.datetime.fromisoformat(at)})

    def campaign_name(self) -> str:
        """What the campaign is called."""
        return self.name or Path(self.input).stem


def commission_of(order: Order, place: Place, system: str) -> Commission:
    """The commission that an order makes.

    Args:
        order: what is asked for.
        place: where its files are.
        system: whose campaigns of a name are watched together.

    Raises:
        CommissionRefused: a name leads nowhere, or out of the folder.
    """
    return Commission(
        source=found_in(place.folder, order.input, "input"),
        out=place.decisions(order.form),
        name=order.campaign_name(),
        mapping=None if order.mapping is None else found_in(place.folder, order.mapping, "mapping"),
        channel=order.channel,
        contact_at=order.contact_at,
        per=order.per,
        size=order.size,
        locale=order.locale,
        what_if=order.what_if,
        limits=None if order.limits is None else found_in(place.folder, order.limits, "limits"),
        lists=place.lists if order.lists else None,
        watch=place.watch(system, order.campaign_name()) if order.watch else None,
    )


def found_in(folder: Path, name: str, field: str) -> Path:
    """What a name means in a folder.

    Args:
        folder: that no name leads out of.
        name: as it was given, with `/` between folders.
        field: of the order that has it.

    Raises:
        CommissionRefused: it leads out of the folder, or nothing is there.
    """
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise CommissionRefused("expected a name in the folder of campaigns, such as customers.csv or november/customers.csv", field)
    root, path = folder.resolve(), folder.joinpath(*parts)
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise CommissionRefused(_missing(folder, parts), field) from None
    if not real.is_relative_to(root) or real == root:
        raise CommissionRefused("leads out of the folder of campaigns; put the file itself there", field)
    if any(real.is_relative_to(root / name) for name in OURS):
        raise CommissionRefused(
            f"is below {', '.join(f'`{name}`' for name in OURS)}, where the service writes; put the file beside it", field
        )
    return path


def _missing(folder: Path, parts: list[str]) -> str:
    """That there is no such file, and the one that was meant."""
    place = folder.joinpath(*parts[:-1])
    try:
        names = [entry.name for _, entry in zip(range(_MOST_LOOKED_THROUGH), place.iterdir(), strict=False) if entry.name not in OURS]
    except OSError:
        names = []
    hint = nearest(parts[-1], names)
    return f"is not in the folder of campaigns; {hint or 'put it there first'}"
