"""Decisions of a campaign as rows of a file: each with its envelope, its private payload, and the hash of its leaf."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import orjson
import polars as pl

from app.record.campaigns.files import SCHEMA
from app.record.campaigns.ids import row_id
from app.record.campaigns.model import PLAIN, ChunkRows
from app.record.campaigns.subjects import Known
from app.record.canonical import NotCanonical, canonical
from app.record.log.merkle import leaf_hash
from app.record.privacy import seal_cases

_HEAD = b'{"at":"%b","body":%b,"campaign":"%b","commitment":"%b","id":"%b","kind":"decision",'
_ENVELOPE = _HEAD + b'"private":"sha256:%b","row":%d,"subject":"%b","v":1}'
"""As canonical JSON has it: names in order, and no text in it that would need an escape."""
_TOGETHER = 2_048
"""Rows that are sealed together: the memory that they take serves the next ones."""
_WHOLE, _WITH_EXPONENT = r"[0-9]\.0[,\]}]", r"[0-9][eE][-+]?[0-9]+[,\]}]"


class Sealed(NamedTuple):
    """Rows as they are kept, and the hashes of their leaves in the same order."""

    frame: pl.DataFrame
    leaves: list[bytes]


def sealed_rows(campaign: str, at: str, given: ChunkRows, subjects: Sequence[Known]) -> Sealed:
    """The rows of a part.

    Args:
        campaign: the campaign's id.
        at: when it was opened, as the store writes times.
        given: what was decided.
        subjects: whom each of its rows is about.

    Raises:
        NotCanonical: there is no canonical JSON of a case.
    """
    _check(given.cases)
    frames, leaves = [SCHEMA.to_frame()], list[bytes]()
    for start in range(0, len(given.rows), _TOGETHER):
        some = _sealed(campaign, at, given, subjects, slice(start, start + _TOGETHER))
        frames.append(some.frame)
        leaves += some.leaves
    return Sealed(pl.concat(frames, rechunk=False), leaves)


def _sealed(campaign: str, at: str, given: ChunkRows, subjects: Sequence[Known], part: slice) -> Sealed:
    """Some of the rows."""
    rows, known = given.rows[part], subjects[part]
    ids, tokens = [row_id(campaign, row) for row in rows], [subject.token for subject in known]
    bounds, conceded = [entry_id.encode() for entry_id in ids], given.conceded[part] or [0] * len(rows)
    sealed = seal_cases([subject.key for subject in known], given.cases[part].to_list(), bounds, conceded)
    private: list[bytes] = []
    envelopes: list[bytes] = []
    leaves: list[bytes] = []
    when, job = at.encode(), campaign.encode()
    for row, bound, token, body, (ciphertext, commitment) in zip(rows, bounds, tokens, given.bodies[part].to_list(), sealed, strict=True):
        hashed = sha256(ciphertext).hexdigest().encode()
        envelope = _ENVELOPE % (when, body, job, commitment.encode(), bound, hashed, row, token.encode())
        private.append(ciphertext)
        envelopes.append(envelope)
        leaves.append(leaf_hash(envelope))
    columns = {
        "row": pl.Series(rows, dtype=pl.Int64()),
        "id": pl.Series(ids, dtype=pl.String()),
        "subject": pl.Series(tokens, dtype=pl.String()),
        **{name: given.plain[name][part].cast(kind) for name, kind in PLAIN.items()},
        "envelope": pl.Series(envelopes, dtype=pl.Binary()),
        "private": pl.Series(private, dtype=pl.Binary()),
        "leaf": pl.Series(leaves, dtype=pl.Binary()),
    }
    return Sealed(pl.DataFrame(columns, schema=SCHEMA), leaves)


def _check(cases: pl.Series) -> None:
    """Is this canonical JSON: those whose numbers may be written otherwise than there, and the first, are looked at in full.

    Raises:
        NotCanonical: one is not.
    """
    told = cases.cast(pl.String())
    doubtful = (told.str.contains(_WHOLE) | told.str.contains(_WITH_EXPONENT)).arg_true().to_list()
    for place in {0, *doubtful} if len(cases) else ():
        if canonical(orjson.loads(cases[place])) != cases[place]:
            raise NotCanonical(f"the case at place {place} of the part is not written as canonical JSON")
