"""The tree over the leaves (RFC 6962, RFC 9162 section 2.1): its root, proofs that a leaf is in it, and that a later tree goes on from it.

Proofs are read from full subtrees, wherever they are kept; verifying needs nothing but the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

Subtrees = Callable[[int, int], bytes]
"""(level, index) -> root of the full subtree of 2**level leaves that is number `index` from the left; level 0 are the leaf hashes."""

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32
_LARGEST_SIZE = 2**63


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf, 32 bytes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side, 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes."""
    level = list(hashes)
    while len(level) > 1:
        pairs = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0] if level else EMPTY_ROOT


def edge_of(size: int) -> list[tuple[int, int]]:
    """(level, index) of the full subtrees that make up a tree of `size` leaves, largest first."""
    return list(_full(0, size))


def root(size: int, subtrees: Subtrees) -> bytes:
    """The root of the first `size` leaves.

    Raises:
        ValueError: a negative size.
    """
    if size < 0:
        raise ValueError(f"a tree has no {size} leaves")
    return _root_between(0, size, subtrees) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, subtrees: Subtrees) -> list[bytes]:
    """Proof that leaf `index`, from 0, is in the tree of `size` leaves.

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    return [_root_between(start, end, subtrees) for start, end in _path(index, size)]


def consistency_proof(old: int, new: int, subtrees: Subtrees) -> list[bytes]:
    """Proof that the tree of `new` leaves begins with the tree of `old` leaves; empty where there is nothing to prove.

    Raises:
        ValueError: `old` is negative or above `new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not go on from one of {old}")
    return [_root_between(start, end, subtrees) for start, end in _bridge(old, new)] if old else []


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Does the proof show that the leaf hash is number `index` of the tree with this size and root. Whatever is given, it never raises."""
    if not (_are_sizes(index, size) and index < size and _are_hashes((leaf, root)) and _are_hashes(proof)):
        return False
    found, at, last = leaf, index, size - 1
    for sibling in proof:
        if not last:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            at, last = _joined(at, last)
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return not last and found == root


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Does the proof show that the new tree begins with the old one. Whatever is given, it never raises."""
    if not (_are_sizes(old_size, new_size) and old_size <= new_size and _are_hashes((old_root, new_root)) and _are_hashes(proof)):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root and (old_size > 0 or old_root == EMPTY_ROOT)
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    steps = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    return bool(steps) and _roots_along(old_size, new_size, steps) == (old_root, new_root)


def _roots_along(old_size: int, new_size: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency proof leads to (RFC 9162, 2.1.4.2); none where it is too long or too short."""
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for sibling in steps[1:]:
        if not last:
            return None
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            at, last = _joined(at, last)
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    return None if last else (old, new)


class Frontier:
    """The right edge of a growing tree: as many hashes as the size has ones in binary, enough to go on from."""

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        """
        Args:
            size: leaves so far.
            edge: roots of the full subtrees that `edge_of(size)` names, in that order.

        Raises:
            ValueError: more or fewer hashes than the size has.
        """
        self._size = size
        self._edge = list(edge)
        if size < 0 or len(self._edge) != size.bit_count() or not _are_hashes(self._edge):
            raise ValueError(f"these are not the hashes at the edge of a tree of {size} leaves")

    @classmethod
    def read(cls, size: int, subtrees: Subtrees) -> Frontier:
        """The edge of the tree of `size` leaves, from where its subtrees are kept."""
        return cls(size, [subtrees(level, index) for level, index in edge_of(size)])

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    @property
    def edge(self) -> tuple[bytes, ...]:
        """Roots of the full subtrees, largest first: what to go on from another time."""
        return tuple(self._edge)

    @property
    def root(self) -> bytes:
        """The root over all leaves so far."""
        return _folded(self._edge) if self._edge else EMPTY_ROOT

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash. The full subtrees that it completes, as (level, index, root), the leaf itself first."""
        done = [(0, self._size, leaf)]
        while self._size >> len(done) - 1 & 1:
            level, index, right = done[-1]
            done.append((level + 1, index >> 1, node_hash(self._edge.pop(), right)))
        self._edge.append(done[-1][2])
        self._size += 1
        return done


def _full(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The full subtrees of leaves `start` to `end`, largest first; `start` is where a subtree of the largest begins."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _root_between(start: int, end: int, subtrees: Subtrees) -> bytes:
    return _folded([subtrees(level, index) for level, index in _full(start, end)])


def _folded(roots: Sequence[bytes]) -> bytes:
    """One root over subtrees that stand side by side, each larger than the next."""
    *left, found = roots
    for subtree in reversed(left):
        found = node_hash(subtree, found)
    return found


def _halfway(start: int, end: int) -> int:
    """Where a tree divides: its left part is the largest power of two below its size."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _path(index: int, size: int) -> list[tuple[int, int]]:
    """The leaves (start, end) that each hash of an inclusion proof stands for, lowest first."""
    start, end, siblings = 0, size, []
    while end - start > 1:
        middle = _halfway(start, end)
        siblings.append((middle, end) if index < middle else (start, middle))
        start, end = (start, middle) if index < middle else (middle, end)
    return siblings[::-1]


def _bridge(old: int, new: int) -> list[tuple[int, int]]:
    """The leaves (start, end) that each hash of a consistency proof stands for, lowest first."""
    start, end, siblings = 0, new, []
    while end != old:
        middle = _halfway(start, end)
        siblings.append((middle, end) if old <= middle else (start, middle))
        start, end = (start, middle) if old <= middle else (middle, end)
    return ([(start, end)] if start else []) + siblings[::-1]


def _joined(at: int, last: int) -> tuple[int, int]:
    """A node at the edge that has no sibling of its level goes up as it is, to where one stands on its left."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _are_sizes(*values: object) -> bool:
    return all(type(value) is int and 0 <= value < _LARGEST_SIZE for value in values)


def _are_hashes(values: object) -> bool:
    return isinstance(values, list | tuple) and all(type(value) is bytes and len(value) == HASH_BYTES for value in values)
