"""Leaves of subjects: of each person exactly those whose envelopes carry the token; and no person gone without an entry that says so."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from sqlalchemy import Connection, and_, func, or_, select
from sqlmodel import col

from app.record.search.indexing import asked
from app.record.store.tables import EntryRow, LeafRow, SubjectLeafRow
from app.record.verifying.opening import Wrapped
from app.record.verifying.reading import Entry
from app.record.verifying.verdict import MOST_FINDINGS, Findings

Place = tuple[str, int]
"""A token and the index of a leaf."""


class SubjectLeaves:
    """Counts the rows that are as they should be, so that those beside them are only looked for where there are some."""

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._connection, self._findings = connection, findings
        self._good = 0

    def compare(self, entries: Sequence[tuple[int, Entry]], kept: Mapping[str, Wrapped]) -> None:
        """Find what is missing of a batch of sealed entries; of somebody erased it may be."""
        places = {(entry.subject, leaf): entry.id for leaf, entry in entries if entry.subject is not None}
        if not places:
            return
        found = self._stored({token for token, _ in places}, entries[0][0], entries[-1][0])
        self._good += len(found & places.keys())
        for (token, leaf), entry_id in places.items():
            if token in kept and (token, leaf) not in found:
                told = f"subject_leaf row of leaf {leaf}: it is missing, so that the entry is not found by its subject"
                self._findings.add("row", told, leaf, entry_id)

    def find_made_up(self, first: int) -> None:
        """Name rows from a leaf on that no envelope has; what was archived has no envelope any more."""
        stored = select(func.count()).select_from(SubjectLeafRow).where(col(SubjectLeafRow.leaf_index) >= first)
        if self._connection.execute(stored).scalar_one() == self._good:
            return
        another = or_(col(EntryRow.subject).is_(None), col(EntryRow.subject) != col(SubjectLeafRow.subject))
        query = (
            select(col(SubjectLeafRow.leaf_index))
            .join(LeafRow, col(LeafRow.leaf_index) == col(SubjectLeafRow.leaf_index), isouter=True)
            .join(EntryRow, col(EntryRow.id) == col(LeafRow.entry_id), isouter=True)
            .where(col(SubjectLeafRow.leaf_index) >= first)
            .where(or_(col(LeafRow.leaf_index).is_(None), and_(col(EntryRow.id).is_not(None), another)))
        )
        for leaf in self._connection.execute(query.limit(MOST_FINDINGS)).scalars():
            self._findings.add("row", f"subject_leaf row of leaf {leaf}: the entry is not about this subject", leaf)

    def _stored(self, tokens: set[str], first: int, last: int) -> set[Place]:
        found: set[Place] = set()
        columns = (col(SubjectLeafRow.subject), col(SubjectLeafRow.leaf_index))
        for part in asked(sorted(tokens)):
            query = select(*columns).where(columns[0].in_(part), columns[1] >= first, columns[1] <= last)
            found.update((row.subject, row.leaf_index) for row in self._connection.execute(query))
        return found


class Gone:
    """Names each subject once whose row is gone though no entry says that the person was erased."""

    def __init__(self, erased: Container[str | None], findings: Findings) -> None:
        self._erased, self._findings = erased, findings
        self._named: set[str] = set()

    def look(self, entries: Sequence[tuple[int | None, Entry]], kept: Mapping[str, Wrapped]) -> None:
        """See who is gone of those whom these entries are about."""
        for leaf, entry in entries:
            token = entry.subject
            if token is None or token in kept or token in self._erased or token in self._named:
                continue
            self._named.add(token)
            told = f"subject row {token}: it is missing, and no entry says that the person was erased"
            self._findings.add("row", told, leaf, entry.id)
