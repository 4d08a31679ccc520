"""Data classes: which one holds for a notebook, and what policy may say of it."""

import pytest

from qsec_jupyter.core.classification import DATA_CLASSES, ClassRule, DataPolicy
from qsec_jupyter.core.errors import Invalid


def naming(value):
    return {"cells": [], "metadata": {"qsec": {"data_class": value}}}


@pytest.mark.parametrize(
    "notebook",
    [
        None,
        {},
        [],
        7,
        {"metadata": None},
        {"metadata": []},
        {"metadata": {"qsec": 1}},
        {"metadata": {"qsec": {}}},
    ],
)
def test_notebook_that_names_no_class_has_the_default(notebook) -> None:
    assert DataPolicy(default="confidential").of(notebook).name == "confidential"


@pytest.mark.parametrize("name", DATA_CLASSES)
def test_notebook_chooses_its_class(name) -> None:
    assert DataPolicy().of(naming(name)).name == name


@pytest.mark.parametrize("floor", DATA_CLASSES)
@pytest.mark.parametrize("name", [*DATA_CLASSES, None])
def test_no_notebook_is_below_the_floor(floor, name) -> None:
    chosen = DataPolicy(floor=floor, default="public").of(naming(name) if name else {}).name
    assert DATA_CLASSES.index(chosen) >= DATA_CLASSES.index(floor)


@pytest.mark.parametrize(
    "name", ["Public", "publik", "", " public", 0, False, None, [], ["public"], {}, "\ud800"]
)
def test_class_that_policy_does_not_know_counts_as_the_strictest(name) -> None:
    assert DataPolicy().of(naming(name)).name == ("internal" if name is None else "restricted")


def test_policy_crosses_the_wire_unchanged() -> None:
    policy = DataPolicy.from_dict({"floor": "internal", "rules": {"public": {"outputs": "show"}}})
    assert policy.rules["public"] == ClassRule(outputs="show")
    assert DataPolicy.from_dict(policy.to_dict()) == policy


@pytest.mark.parametrize(
    "data",
    [
        {"default": "secret"},
        {"floor": None},
        {"rules": {"secret": {}}},
        {"rules": {"public": {"source": "hide"}}},
        {"rules": {"public": {"files": "redact"}}},
        {"rules": {"public": {"keep": "yes"}}},
        {"rules": {"public": {"colour": "red"}}},
    ],
)
def test_rule_that_makes_no_sense_is_refused(data) -> None:
    with pytest.raises(Invalid):
        DataPolicy.from_dict(data)
