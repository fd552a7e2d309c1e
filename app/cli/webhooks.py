"""`wanliu webhook`: who is told of events, and how delivering stands."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from app.cli.console import fail, out, write_json
from app.cli.pack_tables import moment
from app.cli.store import the_record
from app.record.outgoing.addresses import host_of
from app.record.outgoing.figures import Standing, standings
from app.record.outgoing.subscriptions import Kept, webhook, webhooks
from app.record.outgoing.taking import redrive as try_again


def show(*, as_json: bool) -> None:
    """Print every subscription, and how it stands."""
    with the_record() as record:
        now = record.clock()
        kept, found = record.read_now(lambda connection: (webhooks(connection), standings(connection, now)))
    standing = {item.webhook: item for item in found}
    if as_json:
        write_json([_as_json(one, standing[one.subscription.id]) for one in kept])
    elif kept:
        out().print(Group(*(_entry(one, standing[one.subscription.id]) for one in kept)))
    else:
        out().print("There are no webhooks. `POST /v1/webhooks` makes one: docs/webhooks.md.", soft_wrap=True)


def redrive(webhook_id: str) -> None:
    """Have tried again what was given up; an id that there is not ends the command."""
    with the_record() as record:
        if record.read_now(lambda connection: webhook(connection, webhook_id)) is None:
            fail(f"there is no webhook `{webhook_id}`; `wanliu webhook list` lists those there are")
        count = try_again(record.database, webhook_id, record.clock())
    out().print(f"{count:,} {'event is' if count == 1 else 'events are'} tried again.")


def _as_json(kept: Kept, standing: Standing) -> dict[str, Any]:
    about, wanted = kept.subscription, kept.subscription.wanted
    told = {"id": about.id, "owner": wanted.owner, "format": wanted.format, "host": host_of(wanted.callback), "types": list(wanted.types)}
    return {**told, "since": about.since, "standing": asdict(standing)}


def _entry(kept: Kept, standing: Standing) -> RenderableType:
    """A webhook, and below it how it stands: figures, then what went wrong last."""
    about = kept.subscription
    waiting = f"{standing.waiting:,} waiting" + (f" (the oldest for {standing.oldest_waiting_s:,.0f} s)" if standing.waiting else "")
    lines = [f"{standing.delivered:,} told · {waiting} · {standing.given_up:,} given up"]
    if standing.problem:
        lines.append(f"last problem: {standing.problem}, {moment(standing.problem_at)}")
    head = Text.assemble((about.id, "bold"), f"  {host_of(about.wanted.callback)}  {about.wanted.owner}")
    return Group(head, *(Padding(Text(line), (0, 0, 0, 2)) for line in lines))
