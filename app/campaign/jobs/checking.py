"""What can be said of an order before anybody decides: is everything there, readable, and does it fit together."""

from __future__ import annotations

import datetime
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.campaign.commission import CommissionRefused, Ready, ready
from app.campaign.input import input_at
from app.campaign.input.mapped import checked_columns
from app.campaign.input.tables import header_of
from app.campaign.jobs.order import Order, commission_of, found_in
from app.campaign.jobs.places import Place
from app.campaign.limits import LimitsError
from app.campaign.mapping import MappingError, own_facts
from app.campaign.output import Output
from app.campaign.problems import TableError
from app.campaign.table import Asking

if TYPE_CHECKING:
    from app.engine.pack import Pack

_TRY = "import polars, sys; polars.scan_parquet(sys.argv[1], glob=False).head(1).collect()"
_TRY_SECONDS = 60
_FIELDS: dict[type[Exception], str] = {MappingError: "mapping", LimitsError: "limits"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with an order: the field, `body` for what does not fit together, and a sentence."""

    field: str
    message: str


def mistakes(order: Order, place: Place, pack: Pack, system: str) -> list[Wrong]:
    """What is wrong with an order, as far as its files' first lines tell; nothing where it can be run.

    Args:
        order: what is asked for.
        place: where its files are.
        pack: what would decide.
        system: of who asks.
    """
    try:
        _check_mapping(order, place)
        _check_header(made_ready(order, place, pack, system), pack)
    except CommissionRefused as error:
        return [Wrong(error.field or "body", _within(place.folder, str(error)))]
    except (MappingError, LimitsError) as error:
        field = _FIELDS[type(error)]
        return [Wrong(field, _within(place.folder, str(problem))) for problem in error.problems]
    except TableError as error:
        return [Wrong("input", _within(place.folder, str(error)))]
    except OSError as error:
        return [Wrong("input", f"cannot be read: {(error.strerror or 'unknown error').lower()}")]
    return []


def made_ready(order: Order, place: Place, pack: Pack, system: str) -> Ready:
    """An order, checked, whether or not there is a folder for its output yet.

    Args:
        order: what is asked for.
        place: where its files are.
        pack: what decides.
        system: of who asks.

    Raises:
        CommissionRefused, TableError, MappingError, LimitsError, OSError: it cannot be run.
    """
    commission = commission_of(order, place, system)
    here = commission.source.with_name(f".{place.job}")
    lists, watch = (None if folder is None else here for folder in (commission.lists, commission.watch))
    found = ready(replace(commission, out=here.with_suffix(commission.out.suffix), lists=lists, watch=watch), own_facts(pack))
    root = place.folder.resolve()
    if not all(file.path.resolve().is_relative_to(root) for file in found.given.files):
        raise CommissionRefused("holds a link that leads out of the folder of campaigns; put the file itself there", "input")
    wanted = replace(found.wanted, output=Output(commission.out, found.wanted.output.form))
    return replace(found, commission=commission, wanted=wanted)


def words_of(error: Exception, folder: Path) -> str:
    """An error about files, without where the folder is."""
    return _within(folder, str(error))


def _check_mapping(order: Order, place: Place) -> None:
    """See that a table has a mapping, and requests none.

    Raises:
        CommissionRefused, TableError: it is not so.
    """
    kind = input_at(found_in(place.folder, order.input, "input")).kind
    if kind == "ndjson" and order.mapping is not None:
        raise CommissionRefused("leave it out: lines of NDJSON are requests as the API takes them", "mapping")
    if kind != "ndjson" and order.mapping is None:
        raise CommissionRefused("is required: it says which column is which fact; `wanliu campaign map` proposes one", "mapping")


def _check_header(campaign: Ready, pack: Pack) -> None:
    """See that a file is what its name says, and has the columns that the mapping wants.

    Raises:
        TableError, MappingError: it is not, or has not.
    """
    given, mapping = campaign.given, campaign.mapping
    if mapping is None:
        return
    asking = Asking("campaign", datetime.datetime.now(datetime.UTC), "live", campaign.channel)
    for file in given.files:
        if given.kind == "parquet":
            _try_parquet(file.path)
        checked_columns(mapping, header_of(file, mapping, kind=given.kind), asking, pack.zone)


def _try_parquet(path: Path) -> None:
    """Have a child process read the first row: over some damage, what reads the format ends its process.

    Raises:
        TableError: it cannot be read.
    """
    try:
        tried = subprocess.run([sys.executable, "-c", _TRY, str(path)], capture_output=True, check=False, timeout=_TRY_SECONDS)
        damaged = tried.returncode != 0
    except subprocess.TimeoutExpired:
        damaged = True
    if damaged:
        raise TableError(f"`{path}` cannot be read as Parquet")


def _within(folder: Path, message: str) -> str:
    """A message without where the folder is: that is nobody's business who calls."""
    return message.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "")
