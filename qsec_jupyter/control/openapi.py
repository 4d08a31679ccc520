"""``python -m qsec_jupyter.control.openapi [--check] FILE``: write the REST interface, or compare it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .app import openapi


def main(argv: list[str]) -> int:
    """Write the document to the file named last, or compare with it."""
    text = json.dumps(openapi(), indent=1, sort_keys=True) + "\n"
    path = Path(argv[-1])
    if "--check" not in argv:
        path.write_text(text)
    elif path.read_text() != text:
        sys.stderr.write(f"{path} is not what the code says; write it anew without --check\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
