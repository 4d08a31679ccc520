"""The judgement on rules agrees with a table of every assignment."""

from itertools import product

from hypothesis import given, settings, strategies as st

from qsec_jupyter.control.policy.reach import satisfiable

ATOMS = ["a", "b", "c", "=x\x001", "=x\x002"]

formulas = st.recursive(
    st.sampled_from([True, False, *ATOMS]),
    lambda inner: st.one_of(
        inner.map(lambda f: ("not", f)),
        st.lists(inner, min_size=1, max_size=3).map(lambda fs: ("and", *fs)),
        st.lists(inner, min_size=1, max_size=3).map(lambda fs: ("or", *fs)),
    ),
    max_leaves=12,
)


def holds(formula, world) -> bool:
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, str):
        return world[formula]
    kind, *parts = formula
    if kind == "not":
        return not holds(parts[0], world)
    return (all if kind == "and" else any)(holds(part, world) for part in parts)


@settings(max_examples=300, deadline=None)
@given(formulas)
def test_satisfiable_is_what_the_table_of_truth_says(formula) -> None:
    worlds = (dict(zip(ATOMS, values, strict=True)) for values in product([True, False], repeat=len(ATOMS)))
    possible = (world for world in worlds if not (world["=x\x001"] and world["=x\x002"]))
    assert satisfiable(formula) == any(holds(formula, world) for world in possible)
