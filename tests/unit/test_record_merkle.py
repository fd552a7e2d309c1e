"""The tree: the published vectors of Certificate Transparency, and proofs that hold for what is so and for nothing else."""

import itertools
import random
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.record.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    Subtrees,
    consistency_proof,
    edge_of,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    root_of,
    verify_consistency,
    verify_inclusion,
)

INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"

LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
MANY = [leaf_hash(str(number).encode()) for number in range(80)]


def subtrees_of(leaves: Sequence[bytes]) -> Subtrees:
    """Reads full subtrees of these leaves, and no others."""

    def read(level: int, index: int) -> bytes:
        start, end = index << level, (index + 1) << level
        assert end <= len(leaves)
        return root_of(leaves[start:end])

    return read


def unhex(hashes: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in hashes]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    """The reference trees of 0 to 8 leaves have the published roots, however the root is come by."""
    wanted = bytes.fromhex(ROOTS[size])
    grown = Frontier()
    for leaf in LEAVES[:size]:
        grown.append(leaf)
    assert (root_of(LEAVES[:size]), root(size, subtrees_of(LEAVES)), grown.root) == (wanted, wanted, wanted)


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[4]]), (2, 3, [ROOTS[2]]), (1, 5, [ROOTS[1], B, D])],
)
def test_published_inclusion_proofs(index: int, size: int, path: list[str]) -> None:
    """The published audit paths are what is proved, and they verify."""
    assert inclusion_proof(index, size, subtrees_of(LEAVES)) == unhex(path)
    assert verify_inclusion(LEAVES[index], index, size, unhex(path), bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(
    ("old", "new", "path"), [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[4]]), (2, 5, [B, D]), (6, 7, None), (4, 8, [C])]
)
def test_published_consistency_proofs(old: int, new: int, path: list[str] | None) -> None:
    """The published consistency proofs are what is proved, and they verify."""
    proof = consistency_proof(old, new, subtrees_of(LEAVES))
    assert path is None or proof == unhex(path)
    assert verify_consistency(old, new, *unhex([ROOTS[old], ROOTS[new]]), proof)


def test_leaves_and_nodes_are_hashed_apart() -> None:
    """No leaf has the hash of a node: each kind has its own first byte."""
    assert leaf_hash(b"x") == sha256(b"\x00x").digest()
    assert node_hash(b"l", b"r") == sha256(b"\x01lr").digest()
    assert sha256().digest() == EMPTY_ROOT


def test_every_proof_of_a_small_tree_verifies() -> None:
    """In trees up to 80 leaves each leaf is proved to be in, and each older tree to be the beginning."""
    read = subtrees_of(MANY)
    roots = [root_of(MANY[:size]) for size in range(len(MANY) + 1)]
    for size in range(1, len(MANY) + 1):
        assert all(verify_inclusion(MANY[at], at, size, inclusion_proof(at, size, read), roots[size]) for at in range(size))
        for old in range(size + 1):
            assert verify_consistency(old, size, roots[old], roots[size], consistency_proof(old, size, read))


def test_a_proof_does_not_show_another_place() -> None:
    """A proof verifies for its own leaf, index and root only."""
    read = subtrees_of(MANY)
    for size in (1, 2, 3, 7, 8, 13, 33):
        found = root_of(MANY[:size])
        for at in range(size):
            proof = inclusion_proof(at, size, read)
            assert not any(verify_inclusion(MANY[at], other, size, proof, found) for other in range(size + 3) if other != at)
            assert not any(verify_inclusion(MANY[other], at, size, proof, found) for other in range(40) if other != at)
            assert not any(verify_inclusion(MANY[at], at, size, proof, root_of(MANY[:other])) for other in range(40) if other != size)


def test_a_changed_proof_is_refused() -> None:
    """A proof with a bit turned, a hash left out, added, doubled or moved shows nothing."""
    read = subtrees_of(MANY)
    for old, new in itertools.combinations((1, 2, 3, 6, 8, 21, 32, 47, 64, 80), 2):
        roots = root_of(MANY[:old]), root_of(MANY[:new])
        for changed in changes(consistency_proof(old, new, read)):
            assert not verify_consistency(old, new, *roots, changed)
        for changed in changes(inclusion_proof(old, new, read)):
            assert not verify_inclusion(MANY[old], old, new, changed, roots[1])


def changes(proof: list[bytes]) -> list[list[bytes]]:
    """Ways to spoil a proof."""
    spoilt = [[*proof, EMPTY_ROOT], [EMPTY_ROOT, *proof]]
    for at, found in enumerate(proof):
        turned = bytes([found[0] ^ 1]) + found[1:]
        spoilt += [proof[:at] + proof[at + 1 :], [*proof[:at], turned, *proof[at + 1 :]], [*proof[: at + 1], *proof[at:]]]
    spoilt += [[*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]] for at in range(len(proof) - 1)]
    return spoilt


def test_another_history_is_not_consistent() -> None:
    """Of two trees that differ in one old leaf, neither is shown to go on from the other's beginning."""
    for spoilt in range(20):
        forked = [*MANY[:spoilt], EMPTY_ROOT, *MANY[spoilt + 1 :]]
        for old, new in ((20, 21), (20, 32), (32, 80), (64, 80), (80, 80)):
            proof = consistency_proof(old, new, subtrees_of(forked))
            assert not verify_consistency(old, new, root_of(MANY[:old]), root_of(forked[:new]), proof)
            assert not verify_consistency(old, new, root_of(forked[:old]), root_of(MANY[:new]), proof)


def test_nothing_goes_on_to_anything() -> None:
    """From the empty tree every tree goes on, with no proof; a proof that is not asked for is refused, and so is another empty root."""
    assert verify_consistency(0, 5, EMPTY_ROOT, MANY[0], [])
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert not verify_consistency(0, 5, EMPTY_ROOT, MANY[0], [MANY[1]])
    assert not verify_consistency(0, 5, MANY[0], MANY[0], [])
    assert not verify_consistency(0, 0, MANY[0], MANY[0], [])
    assert not verify_consistency(3, 3, MANY[0], MANY[0], [MANY[1]])
    assert not verify_consistency(3, 4, MANY[0], MANY[0], [])


numbers = st.one_of(st.booleans(), st.integers(), st.floats(), st.sampled_from([2**80, -1]))


def test_a_proof_of_a_larger_or_smaller_tree_is_refused() -> None:
    """A proof is as long as the sizes say: along the right edge a longer and a shorter one would lead to the right roots too."""
    read = subtrees_of(MANY)
    for small, large in ((2, 4), (4, 8), (8, 64)):
        for size, other in ((small, large), (large, small)):
            found, before = root_of(MANY[:size]), root_of(MANY[: size - 1])
            path, bridge = inclusion_proof(size - 1, size, read), consistency_proof(size - 1, size, read)
            assert not verify_inclusion(MANY[size - 1], other - 1, other, path, found)
            assert not verify_consistency(other - 1, other, before, found, bridge)


def test_a_tree_does_not_go_on_to_a_smaller_one() -> None:
    """An older tree that is larger than the new one is refused, also with equal roots."""
    for old, new in ((2, 1), (8, 1), (8, 7), (3, 2)):
        assert not verify_consistency(old, new, MANY[0], MANY[0], [])
        assert not verify_consistency(old, new, root_of(MANY[:old]), root_of(MANY[:new]), consistency_proof(new, old, subtrees_of(MANY)))


@pytest.mark.parametrize("root", [None, "text", 5, b"short", [], bytearray(32)], ids=repr)
def test_a_root_that_is_no_hash_is_refused(root: Any) -> None:
    """An old root stands at the beginning of some proofs; whatever it is, nothing is raised."""
    proof = consistency_proof(4, 7, subtrees_of(MANY))
    for roots in ((root, root_of(MANY[:7])), (root_of(MANY[:4]), root), (root, root)):
        assert not verify_consistency(4, 7, *roots, proof)
        assert not verify_consistency(4, 4, *roots, [])


odd: st.SearchStrategy[Any] = st.one_of(st.none(), numbers, st.text(max_size=3), st.binary(max_size=40), st.just({}))
hashes = st.one_of(st.binary(min_size=32, max_size=32), st.sampled_from(MANY[:4]), odd)
proofs = st.one_of(st.lists(hashes, max_size=70), st.lists(st.sampled_from(MANY), max_size=6), odd)
sizes = st.one_of(st.integers(-2, 90), st.sampled_from([2**62, 2**63 - 1, 2**63, 2**64]), odd)


@settings(max_examples=1_000, deadline=None)
@given(hashes, sizes, sizes, proofs, st.sampled_from([root_of(MANY[:size]) for size in range(2, 80)]))
def test_no_made_up_inclusion_is_accepted(leaf: Any, index: Any, size: Any, proof: Any, found: bytes) -> None:
    """Whatever is given as leaf, place and proof, it is refused without an exception: nobody finds what hashes to the root."""
    assert verify_inclusion(leaf, index, size, proof, found) is False


@settings(max_examples=1_000, deadline=None)
@given(sizes, sizes, hashes, hashes, proofs)
def test_no_made_up_consistency_is_accepted(old: Any, new: Any, old_root: Any, new_root: Any, proof: Any) -> None:
    """Whatever is given, a tree is shown to go on only from the empty tree and from itself."""
    if verify_consistency(old, new, old_root, new_root, proof):
        assert type(old) is int
        assert old_root == EMPTY_ROOT if old == 0 else (old, old_root) == (new, new_root)
        assert list(proof) == []


@pytest.mark.parametrize("give", [bytearray, memoryview, list])
def test_what_is_not_bytes_is_no_hash(give: Any) -> None:
    """Hashes are bytes: other things that compare as bytes are refused."""
    assert not verify_inclusion(give(MANY[0]), 0, 1, [], MANY[0])
    assert not verify_inclusion(MANY[0], False, 1, [], MANY[0])


def test_the_last_leaf_is_not_number_minus_one() -> None:
    """Places are counted from the left: a negative one is refused, though its bits are those of the last leaf."""
    assert not verify_inclusion(MANY[7], -1, 8, inclusion_proof(7, 8, subtrees_of(MANY)), root_of(MANY[:8]))


def test_a_proof_of_what_is_not_there_is_not_made() -> None:
    """Asking for a leaf beyond the tree, or for a shorter tree to go on from a longer one, is an error of the caller."""
    read = subtrees_of(MANY)
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(ValueError, match="is not in a tree"):
            inclusion_proof(index, size, read)
    for old, new in ((6, 5), (-1, 5)):
        with pytest.raises(ValueError, match="does not go on"):
            consistency_proof(old, new, read)
    with pytest.raises(ValueError, match="a tree has no -1 leaves"):
        root(-1, read)


def test_a_frontier_goes_on_where_it_was_left() -> None:
    """Taken up at any size from its edge, kept or read, a tree grows to the same roots."""
    read = subtrees_of(MANY)
    for size in range(len(MANY)):
        taken = Frontier.read(size, read)
        again = Frontier(taken.size, taken.edge)
        assert taken.root == again.root == root_of(MANY[:size])
        again.append(MANY[size])
        assert (again.size, again.root) == (size + 1, root_of(MANY[: size + 1]))


def test_a_frontier_tells_the_subtrees_it_completes() -> None:
    """Every full subtree is told once, with its root, when its last leaf comes."""
    grown, read = Frontier(), subtrees_of(MANY)
    told = [done for leaf in MANY for done in grown.append(leaf)]
    assert all(found == read(level, index) for level, index, found in told)
    assert {(level, index) for level, index, _ in told} == {(level, index) for level in range(7) for index in range(80 >> level)}
    assert len(told) == sum(80 >> level for level in range(7))


def test_a_frontier_wants_the_edge_of_its_size() -> None:
    """Hashes that cannot be the edge of a tree of this size are refused."""
    for size, edge in ((3, MANY[:1]), (4, MANY[:2]), (1, [b"short"]), (-1, MANY[:1])):
        with pytest.raises(ValueError, match="edge of a tree"):
            Frontier(size, edge)


def test_the_edge_covers_the_tree() -> None:
    """The subtrees at the edge stand side by side from the first leaf to the last, each larger than the next."""
    for size in [*range(200), *(random.Random(1).randrange(2**40) for _ in range(200))]:
        at = 0
        for level, index in edge_of(size):
            assert index << level == at
            at += 1 << level
        assert at == size
        assert [level for level, _ in edge_of(size)] == sorted({level for level, _ in edge_of(size)}, reverse=True)
