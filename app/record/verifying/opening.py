"""Opening private payloads, where the keys of their subjects are kept, and comparing them with what the leaves commit to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select
from sqlmodel import col

from app.record.canonical import NotCanonical
from app.record.keys import Keys, KeysProblem
from app.record.privacy import Unreadable, commitment_of, open_private, unwrap
from app.record.search.indexing import asked
from app.record.store.database import blob
from app.record.store.tables import SubjectRow
from app.record.verifying.reading import Entry
from app.record.verifying.verdict import Findings

Wrapped = tuple[bytes, str]


class Opening:
    """Counts what could be opened and what never can be again."""

    def __init__(self, connection: Connection, keys: Keys, findings: Findings) -> None:
        self._connection, self._keys, self._findings = connection, keys, findings
        self.opened = self.erased = 0

    def look(self, entries: Iterable[tuple[int | None, Entry]]) -> None:
        """Open the payloads of a batch of entries, each with its leaf."""
        private = [(leaf, entry) for leaf, entry in entries if entry.private is not None and entry.subject is not None]
        subjects = wrapped_keys(self._connection, {entry.subject for _, entry in private if entry.subject})
        for leaf, entry in private:
            if entry.subject in subjects:
                self._open(leaf, entry, subjects[entry.subject])
            else:
                self.erased += 1

    def _open(self, leaf: int | None, entry: Entry, wrapped: Wrapped) -> None:
        try:
            payload = open_private(unwrap(self._keys, *wrapped), entry.private or b"", entry.id.encode())
            genuine = commitment_of(payload) == (entry.told or {}).get("commitment")
        except (Unreadable, NotCanonical):
            self._findings.add("private", "the key of its subject does not open the private payload", leaf, entry.id)
        except KeysProblem as error:
            self._findings.add("private", str(error), leaf, entry.id)
        else:
            self.opened += 1
            if not genuine:
                self._findings.add("commitment", "what the private payload says is not what the leaf commits to", leaf, entry.id)


def wrapped_keys(connection: Connection, tokens: Iterable[str]) -> dict[str, Wrapped]:
    """The wrapped key, and with what it is wrapped, of each of these subjects that is still kept."""
    found: dict[str, Wrapped] = {}
    for part in asked(sorted(tokens)):
        query = select(col(SubjectRow.token), col(SubjectRow.wrapped_key), col(SubjectRow.wrapped_with)).where(
            col(SubjectRow.token).in_(part)
        )
        found.update({row.token: (blob(row.wrapped_key), row.wrapped_with) for row in connection.execute(query)})
    return found
