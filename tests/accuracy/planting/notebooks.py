"""Whole notebooks: cells as people write them, with secrets and negatives among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from . import negatives
from .draft import Draft
from .formats import OTHERS, QUANTUM
from .model import Format, Planted, Sample
from .naming import filler_line, mention
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


def _filler(rng: Random, draft: Draft) -> None:
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
    from .formats.generic import FORMATS as GENERIC

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
    return Format("issued", "issued value", "issued", make, GENERIC[0].client)


def samples(
    seed: int = 20261124, notebooks: int = 300, secrets: int = SECRETS_A_NOTEBOOK
) -> Iterator[Sample]:
    """Generate notebooks; the same arguments give the same notebooks.

    Args:
        seed: Of everything.
        notebooks: How many.
        secrets: Planted in each; one in five is an issued value.
    """
    rng = Random(seed)
    quantum, others = Deck(rng, list(QUANTUM)), Deck(rng, list(OTHERS))
    placings = Deck(rng, [card for card in PLACINGS for _ in range(card[2])])
    encodings = Deck(rng, [card for card in ISSUED for _ in range(card[1])])
    negative = 0
    for number in range(notebooks):
        draft = Draft(Random(rng.getrandbits(64)), f"notebook-{number:04}")
        sample = Sample(path=f"{draft.name}.ipynb", content={})
        draft.markdown(rng.choice(_INTROS))
        jobs = (
            ["issued" if (number * secrets + i) % 5 == 4 else "secret" for i in range(secrets)]
            + ["negative"] * NEGATIVES_A_NOTEBOOK
            + ["filler"] * rng.randint(3, 9)
        )
        rng.shuffle(jobs)
        for job in jobs:
            if job == "filler":
                _filler(draft.rng, draft)
            elif job == "negative":
                sample.innocents.append(negatives.plant(draft.rng, draft, negative))
                negative += 1
            elif job == "issued":
                sample.planted.append(_issue(draft, encodings))
            else:
                sample.planted.append(
                    _plant(draft, (quantum if rng.random() < 0.45 else others).deal(), placings)
                )
        old = rng.random() < 0.05 and not any(
            p.surface.startswith(("metadata", "rich")) for p in sample.planted
        )
        sample.content = draft.notebook3() if old else draft.notebook()
        yield sample


def _plant(draft: Draft, form: Format, placings: Deck) -> Planted:
    planted = Planted(form, form.make(draft.rng), form.kind)
    while True:
        surface, placing, _ = placings.deal()
        if fits(placing, planted):
            break
    planted.surface = surface
    planted.fragments = fragments(form.secret_part(planted.value))
    placing(draft.rng, draft, planted)
    return planted


def _issue(draft: Draft, encodings: Deck) -> Planted:
    form = issued_format(draft.rng)
    planted = Planted(form, form.make(draft.rng), "issued", label=f"target-{draft.rng.randint(1, 99)}")
    planted.fragments = fragments(planted.value)
    encodings.deal()[0](draft.rng, draft, planted)
    return planted


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
            _filler(draft.rng, draft)
        sample.content = draft.notebook()
        yield sample


def texts(seed: int = 11, files: int = 60) -> Iterator[Sample]:
    """Generate scripts, notes, environment, configuration and log files."""
    rng = Random(seed)
    forms = Deck(rng, [f for f in (*QUANTUM, *OTHERS) if not f.multiline])
    for number in range(files):
        suffix = (".py", ".md", ".env", ".log", ".toml", ".yaml", ".json")[number % 7]
        sample = Sample(path=f"file-{number:03}{suffix}", content="")
        parts = [_part(rng, forms.deal(), suffix, sample) for _ in range(3)]
        if suffix == ".json":
            sample.content = json.dumps(parts, indent=2)
        else:
            sample.content = "\n".join(map(str, parts)) + "\n"
        yield sample


def _part(rng: Random, form: Format, suffix: str, sample: Sample) -> object:
    planted = Planted(form, form.make(rng), form.kind, surface=f"file: {suffix}")
    planted.fragments = fragments(form.secret_part(planted.value))
    sample.planted.append(planted)
    client, value = form.client, planted.value
    if suffix == ".py":
        draft = Draft(rng, "x")
        from .placing import source

        rng.choice([source.call, source.assign, source.environ, source.mapping, source.comment])(
            rng, draft, planted
        )
        return "\n\n".join("".join(cell["source"]) for cell in draft.cells)
    if suffix in (".md", ".log"):
        return f"{filler_line(rng)}\n{mention(planted, rng)}\n"
    planted.shape = "entry"
    key = rng.choice(client.keys)
    if suffix == ".env":
        return f"{rng.choice(['', 'export '])}{rng.choice(client.env or (key.upper(),))}={(rng.choice(['', chr(34)]) and json.dumps(value)) or value}"
    if suffix == ".toml":
        return f"[{rng.choice(['lab', 'main'])}.{rng.randint(0, 10**6)}]\nurl = 'https://{client.host}'\n{json.dumps(key)} = {json.dumps(value)}"
    if suffix == ".yaml":
        return f"service{rng.randint(0, 10**6)}:\n  url: https://{client.host}\n  {key}: {value}"
    return {"url": f"https://{client.host}", key: value}
