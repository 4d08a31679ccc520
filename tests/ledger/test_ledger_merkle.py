"""The tree against RFC 6962's definition and the vectors that Certificate Transparency's logs test with."""

from hypothesis import given, settings, strategies as st

from qsec_jupyter.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# Leaves and roots of certificate-transparency's reference tests (merkletree/merkle_tree_test.cc).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
leaf_lists = st.integers(1, 70).map(lambda count: [leaf_hash(str(n).encode()) for n in range(count)])


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1 writes it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined_root(leaves[:split]), defined_root(leaves[split:]))


def test_the_roots_are_those_of_the_known_vectors():
    assert Frontier().root() == EMPTY_ROOT
    frontier = Frontier()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        frontier.append(leaf_hash(leaf))
        assert frontier.root().hex() == root


def test_a_known_path_is_the_path_of_the_vectors():
    leaves = [leaf_hash(leaf) for leaf in LEAVES]
    assert [node.hex() for node in inclusion_proof(leaves, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


@settings(deadline=None)
@given(leaf_lists)
def test_the_frontier_gives_the_defined_root(leaves):
    assert root_of(leaves) == defined_root(leaves)


@settings(deadline=None)
@given(leaf_lists, st.data())
def test_every_leaf_can_be_proved_and_no_other_in_its_place(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root = inclusion_proof(leaves, index), root_of(leaves)
    assert verify_inclusion(leaves[index], index, len(leaves), proof, root)
    assert not verify_inclusion(leaf_hash(b"other"), index, len(leaves), proof, root)
    assert not verify_inclusion(leaves[index], index, len(leaves), [*proof, root], root)
    for other in range(len(leaves)):
        if other != index:
            assert not verify_inclusion(leaves[index], other, len(leaves), proof, root)


@settings(deadline=None)
@given(leaf_lists, st.data())
def test_a_grown_tree_is_proved_consistent_and_a_changed_one_is_not(leaves, data):
    old = data.draw(st.integers(1, len(leaves)))
    proof = consistency_proof(leaves, old)
    before, after = root_of(leaves[:old]), root_of(leaves)
    assert verify_consistency(old, len(leaves), before, after, proof)
    changed = root_of([leaf_hash(b"other"), *leaves[1:old]])
    assert not verify_consistency(old, len(leaves), changed, after, proof)
    if proof:
        position = data.draw(st.integers(0, len(proof) - 1))
        proof[position] = leaf_hash(b"other")
        assert not verify_consistency(old, len(leaves), before, after, proof)
