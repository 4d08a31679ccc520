"""The generator keeps its promises: reproducible, valid, complete, and every secret can be seen before a scan."""

from __future__ import annotations

import binascii
import json
from collections import Counter
from random import Random

import nbformat
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key
from leaks import View
from planting.files import texts
from planting.formats import FORMATS, QUANTUM
from planting.negatives import KINDS
from planting.notebooks import clean, samples
from planting.placing import PLACINGS
from planting.placing.issued import ENCODINGS
from planting.randoms import BASE62, in_base


@pytest.fixture(scope="module")
def planted():
    return list(samples(seed=3, notebooks=200))


def values(notebooks):
    return {
        p.value
        for sample in notebooks
        for p in sample.planted
        if "RSA" not in p.format.name and not p.value.startswith("{")
    }


def test_same_seed_gives_the_same_notebooks_and_another_seed_others():
    one, two, other = (list(samples(seed=s, notebooks=60)) for s in (1, 1, 2))
    assert [s.content for s in one] == [s.content for s in two]
    assert not values(one) & values(other)


def test_every_secret_shows_before_the_scan_so_that_the_measure_can_fail(planted):
    hidden = [
        (p.surface, p.shape, p.format.name)
        for sample in (*planted, *texts())
        for view in [View(sample.content)]
        for p in sample.planted
        if not all(view.shows(text) for text in p.fragments)
    ]
    assert hidden == []


def test_every_negative_shows_before_the_scan():
    for sample in clean(notebooks=40):
        view = View(sample.content)
        assert [i.kind for i in sample.innocents if not view.keeps(i.text)] == []


def test_notebooks_are_valid(planted):
    for sample in planted:
        notebook = nbformat.from_dict(json.loads(json.dumps(sample.content)))
        nbformat.validate(notebook)


def test_set_covers_every_surface_encoding_format_and_kind_of_negative(planted):
    secrets = [p for sample in planted for p in sample.planted]
    assert {name for name, _, _ in PLACINGS} <= {p.surface for p in secrets}
    assert {p.shape for p in secrets if p.kind == "issued"} >= set(ENCODINGS)
    assert {(p.vendor, p.format.name) for p in secrets if p.kind != "issued"} == {
        (f.vendor, f.name) for f in FORMATS
    }
    assert {i.kind for sample in planted for i in sample.innocents} == {kind for kind, _, _ in KINDS}


def test_values_are_drawn_once(planted):
    counts = Counter(p.value for sample in planted for p in sample.planted if not p.format.multiline)
    assert [n for n in counts.values() if n > 1] == []


def test_github_and_npm_tokens_end_in_the_checksum_of_their_body():
    for form in FORMATS:
        if form.vendor in ("GitHub", "npm") and "fine" not in form.name:
            body = form.make(Random(5)).split("_", 1)[1]
            assert in_base(binascii.crc32(body[:-6].encode()), BASE62, 6) == body[-6:]


def test_private_keys_load():
    for form in FORMATS:
        if form.vendor == "PEM":
            load = load_ssh_private_key if "OpenSSH" in form.name else load_pem_private_key
            assert load(form.make(Random(6)).encode(), password=None)


def test_quantum_vendors_of_the_facts_are_all_there():
    named = {
        "IBM",
        "Azure Quantum",
        "D-Wave",
        "IonQ",
        "Quantinuum",
        "Rigetti",
        "qBraid",
        "Xanadu",
        "IQM",
        "Braket",
    }
    assert named <= {form.vendor for form in QUANTUM}
