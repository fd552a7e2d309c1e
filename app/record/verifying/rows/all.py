"""All rows that restate entries, in step with the reading of the log."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from app.record.keys import Keys
from app.record.verifying.archives import Archives
from app.record.verifying.chunks import Chunks
from app.record.verifying.opening import Opening, wrapped_keys
from app.record.verifying.reading import Entry
from app.record.verifying.rows.callers import compare_callers
from app.record.verifying.rows.choices import compare_choices, find_made_up_choices
from app.record.verifying.rows.contacts import Contacts
from app.record.verifying.rows.holds import compare_holds
from app.record.verifying.rows.idempotency import compare_keys
from app.record.verifying.rows.outcomes import compare_outcomes, find_made_up_outcomes
from app.record.verifying.rows.packs import compare_packs
from app.record.verifying.rows.recommendations import compare_recommendations, find_made_up_recommendations
from app.record.verifying.rows.standing import standing
from app.record.verifying.rows.subjects import Gone, SubjectLeaves
from app.record.verifying.rows.successors import compare_successors, find_made_up_successors
from app.record.verifying.rows.told import told_by
from app.record.verifying.rows.webhooks import compare_webhooks
from app.record.verifying.verdict import Findings


class Rows:
    """Holds rows against the entries that are read; at the end, those that are few or belong to no entry."""

    def __init__(
        self, connection: Connection, keys: Keys, first: int, archives: Archives, findings: Findings, opening: Opening | None = None
    ) -> None:
        """
        Args:
            connection: a transaction that reads.
            keys: of the log.
            first: the first leaf that is read: rows of outcomes, contacts and leaves before it are not looked at.
            archives: what was archived.
            findings: where differences go.
            opening: opens the private payloads of campaigns, where that is asked for.
        """
        self._connection, self._keys, self._first, self._archives, self._findings = connection, keys, first, archives, findings
        self._standing = standing(connection, first, findings)
        erased = {told.entry.subject for told in self._standing if told.entry.kind == "erasure"}
        self._gone = Gone(erased, findings)
        self._chunks = Chunks(connection, archives, erased, opening, findings)
        self._leaves = SubjectLeaves(connection, findings)
        self._contacts = Contacts(connection, lambda: archives, findings)

    def look(self, entries: Sequence[tuple[int | None, Entry]]) -> None:
        """Compare what restates a batch of entries, each with its leaf, which all of them have or none."""
        kept = wrapped_keys(self._connection, {entry.subject for _, entry in entries if entry.subject})
        sealed = [(leaf, entry) for leaf, entry in entries if leaf is not None]
        self._gone.look(entries, kept)
        self._leaves.compare(sealed, kept)
        outcomes = list(told_by(entries, "outcome"))
        compare_outcomes(self._connection, self._keys, outcomes, kept, self._findings)
        self._contacts.compare(outcomes, kept)
        compare_choices(self._connection, [*told_by(entries, "choice"), *outcomes], kept, self._findings)
        compare_recommendations(self._connection, entries, kept, self._findings)
        compare_successors(self._connection, [*told_by(entries, "decision")], self._archives, self._findings)
        self._chunks.look(entries)

    @property
    def decisions_of_campaigns(self) -> int:
        """How many decisions of campaigns were looked at."""
        return self._chunks.rows

    def finish(self) -> None:
        """Compare the rest, when every entry was looked at."""
        self._leaves.find_made_up(self._first)
        self._chunks.finish()
        find_made_up_outcomes(self._connection, self._archives, self._findings)
        find_made_up_recommendations(self._connection, self._archives, self._findings)
        find_made_up_successors(self._connection, self._archives, self._findings)
        self._contacts.find_made_up()
        find_made_up_choices(self._connection, self._findings)
        compare_keys(self._connection, self._findings)
        compare_packs(self._connection, self._standing, self._findings)
        compare_callers(self._connection, self._standing, self._findings)
        compare_webhooks(self._connection, self._keys, self._standing, self._findings)
        compare_holds(self._connection, self._keys, self._standing, self._findings)
