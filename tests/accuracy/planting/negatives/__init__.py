"""What looks like a secret and is none: ids, digests, placeholders, public values, ways to fetch a secret."""

from __future__ import annotations

import json
from random import Random

from ..draft import Draft
from ..model import Innocent
from ..naming import filler_line
from .code import CODE
from .lines import Text
from .output import OUTPUT


def _place_code(rng: Random, draft: Draft, line: str) -> str:
    if rng.random() < 0.15:
        draft.markdown(f"Zum Beispiel:\n\n```python\n{line}\n```\n")
        return "markdown"
    draft.code(rng.choice(["", "import os\n", "# setup\n"]) + line)
    return "source"


def _place_output(rng: Random, draft: Draft, line: str) -> str:
    place = rng.choice(["stream", "stream", "result", "html", "json", "source", "metadata", "error"])
    if place == "stream":
        draft.code("run()", draft.stream("\n".join([filler_line(rng), line, filler_line(rng)])))
    elif place == "result":
        draft.code("info", draft.result(text__plain=line))
    elif place == "html":
        draft.code("page", draft.display(text__html=f"<pre>{line}</pre>"))
    elif place == "json":
        draft.code("tree", draft.display(application__json={"message": line, "n": rng.randint(0, 99)}))
    elif place == "source":
        draft.code(f"note = {json.dumps(line)}" if "\n" not in line else f'note = """{line}"""')
    elif place == "metadata":
        draft.code("pass", metadata={"info": {"line": line}})
    else:
        draft.code(
            "go()",
            {
                "output_type": "error",
                "ename": "RuntimeError",
                "evalue": line,
                "traceback": [f"\x1b[0;31mRuntimeError\x1b[0m: {line}"],
            },
        )
    return place


KINDS: tuple[tuple[str, Text, bool], ...] = (
    *(
        (kind, text, True)
        for kind, texts in CODE.items()
        for text in texts
        for _ in range(3 if kind in ("fetching a secret", "placeholder", "configuration of tokens") else 1)
    ),
    *((kind, text, False) for kind, texts in OUTPUT.items() for text in texts),
)


def plant(rng: Random, draft: Draft, index: int) -> Innocent:
    """Add one negative; ``index`` walks through the kinds so that each gets its share."""
    kind, text, code = KINDS[index % len(KINDS)]
    line, value = text(rng)
    surface = (_place_code if code else _place_output)(rng, draft, line)
    return Innocent(kind=kind, text=value, surface=surface)
