"""Whole notebooks: cells as people write them, with secrets and negatives among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from . import negatives
from .draft import Draft
from .formats import OTHERS, QUANTUM, generic
from .model import Format, Planted, Sample
from .naming import filler_line
from .placing import ISSUED, PLACINGS, fits
from .randoms import BASE62, URLSAFE, b64, guid, hexa, jwt, mixed, password, subject_claims

SECRETS_A_NOTEBOOK = 5
NEGATIVES_A_NOTEBOOK = 7

_INTROS = (
    "# VQE für H2\n\nWir berechnen die Grundzustandsenergie.",
    "# Bell states on hardware\n\nPrepare, measure, compare.",
    "## QAOA for MaxCut",
    "# Auswertung der Läufe vom Montag",
    "# Train a small classifier",
)
_CODE = (
    "import numpy as np\nimport matplotlib.pyplot as plt",
    "from qiskit import QuantumCircuit, transpile\nqc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\nqc.measure_all()",
    "def energy(theta):\n    return float(np.cos(theta) ** 2)",
    "df = pd.read_csv('runs.csv')\ndf.describe()",
    "for step in range(100):\n    params -= 0.1 * gradient(params)",
    "dev = qml.device('default.qubit', wires=4)",
)


def _filler(draft: Draft, sample: Sample) -> None:
    rng = draft.rng
    if rng.random() < 0.3:
        draft.markdown(
            rng.choice(
                [
                    "## Ergebnis\n\nSiehe Abbildung.",
                    "### Results",
                    "Weiter mit dem *zweiten* Lauf.",
                    "$E = \\langle\\psi|H|\\psi\\rangle$",
                ]
            )
        )
        return
    outputs = []
    if rng.random() < 0.6:
        outputs.append(draft.stream("\n".join(filler_line(rng) for _ in range(rng.randint(1, 8)))))
    if rng.random() < 0.15:
        picture = b64(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + rng.randbytes(rng.randint(800, 4000)))
        outputs.append(draft.display(image__png=picture, text__plain="<Figure size 640x480 with 1 Axes>"))
    draft.code(rng.choice(_CODE), *outputs)


class Deck:
    """Deals all cards before any comes again, in an order drawn from the seed."""

    def __init__(self, rng: Random, cards: list) -> None:  # type: ignore[type-arg]
        self._rng, self._cards, self._rest = rng, cards, []  # type: ignore[var-annotated]

    def deal(self):  # type: ignore[no-untyped-def]
        """Return the next card."""
        if not self._rest:
            self._rest = self._cards[:]
            self._rng.shuffle(self._rest)
        return self._rest.pop()


def issued_format(rng: Random) -> Format:
    """Return a format of a value that a broker would issue: of any form, so nothing but the value finds it."""
    make = rng.choice(
        [
            lambda r: mixed(r, 44, URLSAFE),
            lambda r: mixed(r, 32),
            lambda r: hexa(r, 128),
            guid,
            password,
            lambda r: jwt(r, subject_claims(r, "https://vault.example")),
            lambda r: mixed(r, 24, BASE62 + "+/"),
            lambda r: f"pä{mixed(r, 12)}ß&<\"é'>\\x",
        ]
    )
    return Format("issued", "issued value", "issued", make, generic.FORMATS[0].client)


class Planter:
    """Plants secrets and negatives notebook by notebook, so that every format and surface gets its share.

    Args:
        rng: Source of everything.
        secrets: Planted in each notebook; one in five is an issued value.
        hosts: Real notebooks of nbformat 4; when given, the cells go among theirs instead of among filler.
    """

    def __init__(self, rng: Random, secrets: int, hosts: Sequence[dict[str, Any]] = ()) -> None:
        self._rng, self._secrets, self._hosts = rng, secrets, hosts
        self._quantum, self._others = Deck(rng, list(QUANTUM)), Deck(rng, list(OTHERS))
        self._placings = Deck(rng, [card for card in PLACINGS for _ in range(card[2])])
        self._encodings = Deck(rng, [card for card in ISSUED for _ in range(card[1])])
        self._secret = self._negative = 0

    def notebook(self, name: str) -> Sample:
        """Return the next notebook."""
        draft = Draft(Random(self._rng.getrandbits(64)), name)
        sample = Sample(path=f"{name}.ipynb", content={})
        jobs = [self._next_secret] * self._secrets + [self._next_negative] * NEGATIVES_A_NOTEBOOK
        if not self._hosts:
            draft.markdown(self._rng.choice(_INTROS))
            jobs += [_filler] * self._rng.randint(3, 9)
        self._rng.shuffle(jobs)
        for job in jobs:
            job(draft, sample)
        sample.content = self._finished(draft, sample)
        return sample

    def _finished(self, draft: Draft, sample: Sample) -> dict[str, Any]:
        if self._hosts:
            return among(draft, self._rng.choice(self._hosts))
        plain = not any(p.surface.startswith(("metadata", "rich")) for p in sample.planted)
        return draft.notebook3() if plain and self._rng.random() < 0.08 else draft.notebook()

    def _next_negative(self, draft: Draft, sample: Sample) -> None:
        sample.innocents.append(negatives.plant(draft.rng, draft, self._negative))
        self._negative += 1

    def _next_secret(self, draft: Draft, sample: Sample) -> None:
        self._secret += 1
        if self._secret % 5 == 0:
            sample.planted.append(self._issued(draft))
        else:
            deck = self._quantum if self._rng.random() < 0.45 else self._others
            sample.planted.append(self._named(draft, deck.deal()))

    def _named(self, draft: Draft, form: Format) -> Planted:
        planted = Planted(form, form.make(draft.rng), form.kind)
        planted.fragments = fragments(form.secret_part(planted.value))
        planted.surface, placing, _ = self._placings.deal()
        while not fits(placing, planted):
            planted.surface, placing, _ = self._placings.deal()
        placing(draft.rng, draft, planted)
        return planted

    def _issued(self, draft: Draft) -> Planted:
        form = issued_format(draft.rng)
        planted = Planted(form, form.make(draft.rng), "issued", label=f"target-{draft.rng.randint(1, 99)}")
        planted.fragments = fragments(planted.value)
        self._encodings.deal()[0](draft.rng, draft, planted)
        return planted


def among(draft: Draft, host: dict[str, Any]) -> dict[str, Any]:
    """Return ``host`` with the draft's cells at random places among its own, order kept."""
    cells = list(host["cells"])
    places = sorted(draft.rng.randint(0, len(cells)) for _ in draft.cells)
    for shift, (place, cell) in enumerate(zip(places, draft.cells, strict=True)):
        cells.insert(place + shift, cell)
    return {**host, "cells": cells, "metadata": {**host["metadata"], **draft.metadata}}


def samples(
    seed: int = 20261124,
    notebooks: int = 300,
    secrets: int = SECRETS_A_NOTEBOOK,
    hosts: Sequence[dict[str, Any]] = (),
) -> Iterator[Sample]:
    """Generate notebooks; the same arguments give the same notebooks."""
    planter = Planter(Random(seed), secrets, hosts)
    for number in range(notebooks):
        yield planter.notebook(f"notebook-{number:04}")


def fragments(secret: str) -> tuple[str, ...]:
    """Return the texts that must all be gone: a long secret's halves, each line of a key."""
    if "\n" in secret:
        return tuple(line for line in secret.splitlines() if len(line) >= 16)
    if len(secret) >= 24:
        half = len(secret) // 2
        return secret[:half], secret[half:]
    return (secret,)


def clean(seed: int = 7, notebooks: int = 100) -> Iterator[Sample]:
    """Generate notebooks that hold negatives only."""
    rng = Random(seed)
    index = 0
    for number in range(notebooks):
        draft = Draft(Random(rng.getrandbits(64)), f"clean-{number:04}")
        sample = Sample(path=f"{draft.name}.ipynb", content={})
        for _ in range(20):
            sample.innocents.append(negatives.plant(draft.rng, draft, index))
            index += 1
        for _ in range(rng.randint(2, 6)):
            _filler(draft, sample)
        sample.content = draft.notebook()
        yield sample
