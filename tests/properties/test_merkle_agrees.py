"""Our tree and another implementation agree on every tree up to 512 leaves: roots, and what proofs say."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import pymerkle
import pytest

from app.record.log.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 512
INTERVALS = [range(start, start + 64) for start in range(1, LARGEST + 1, 64)]
DATA = [f"leaf {number}".encode() for number in range(LARGEST)]
LEAVES = [leaf_hash(data) for data in DATA]


@functools.cache
def theirs() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries(DATA)
    return tree


@functools.cache
def subtree(level: int, index: int) -> bytes:
    return LEAVES[index] if level == 0 else node_hash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1))


@functools.cache
def our_root(size: int) -> bytes:
    return root(size, subtree)


def test_leaves_agree() -> None:
    """Both hash a leaf alike."""
    assert [theirs().get_leaf(index + 1) for index in range(LARGEST)] == LEAVES


def test_roots_agree() -> None:
    """For every size, the root of hashes in memory, of kept subtrees and of a growing tree is theirs."""
    grown = Frontier()
    for size in range(LARGEST + 1):
        assert theirs().get_root(size) == our_root(size) == root_of(LEAVES[:size]) == grown.root
        if size < LARGEST:
            grown.append(LEAVES[size])


@pytest.mark.parametrize("sizes", INTERVALS, ids=str)
def test_inclusion_proofs_agree(sizes: Sequence[int]) -> None:
    """For every leaf of every size, our proof is theirs, and each verifies as ours."""
    for size in sizes:
        for index in range(size):
            path = inclusion_proof(index, size, subtree)
            assert theirs().prove_inclusion(index + 1, size).path == [LEAVES[index], *path]
            assert verify_inclusion(LEAVES[index], index, size, path, our_root(size))


def as_in_the_rfc(proof: pymerkle.ConsistencyProof) -> list[bytes]:
    """Their path in the form of RFC 6962: one hash for all that was added beside the old tree's last subtree, and that subtree first."""
    if all(proof.subset):
        return list(proof.path)
    last = proof.subset.index(1)
    added = proof.path[0]
    for is_right, sibling in zip(proof.rule[: last - 1], proof.path[1:last], strict=True):
        added = node_hash(sibling, added) if is_right else node_hash(added, sibling)
    return [proof.path[last], added, *proof.path[last + 1 :]]


@pytest.mark.parametrize("sizes", INTERVALS, ids=str)
def test_consistency_proofs_agree(sizes: Sequence[int]) -> None:
    """For every pair of sizes our proof is theirs, but for the old root where the verifier has it already, and each verifies as ours."""
    for new in sizes:
        for old in range(1, new + 1):
            path = consistency_proof(old, new, subtree)
            known = [our_root(old)] if old & (old - 1) == 0 or old == new else []
            assert as_in_the_rfc(theirs().prove_consistency(old, new)) == known + path
            assert verify_consistency(old, new, our_root(old), our_root(new), path)
