"""Secrets in text files: scripts, notes, environment, configuration and log files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from .draft import Draft
from .formats import OTHERS, QUANTUM
from .model import Format, Planted, Sample
from .naming import filler_line, mention
from .notebooks import Deck, fragments
from .placing import source


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
