"""A notebook under construction."""

from __future__ import annotations

import string
from random import Random
from typing import Any

from .randoms import draw, guid


class Draft:
    """Cells and metadata of one notebook; cells keep the order in which they were added.

    Args:
        rng: The notebook's own random source.
        name: Of the file.
    """

    def __init__(self, rng: Random, name: str) -> None:
        self.rng = rng
        self.name = name
        self.cells: list[dict[str, Any]] = []
        self.metadata: dict[str, Any] = {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "version": f"3.{rng.randint(9, 13)}.{rng.randint(0, 15)}"},
        }
        self.count = 0

    def text(self, value: str) -> str | list[str]:
        """Return multi-line text as nbformat stores it: one string or a list of lines."""
        return value.splitlines(keepends=True) if self.rng.random() < 0.7 else value

    def code(
        self, source: str, *outputs: dict[str, Any], metadata: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Add a code cell that was run."""
        self.count += 1
        for output in outputs:
            if output["output_type"] == "execute_result":
                output["execution_count"] = self.count
        return self._add(
            cell_type="code",
            execution_count=self.count,
            metadata=metadata or {},
            outputs=list(outputs),
            source=self.text(source),
        )

    def markdown(self, source: str, **more: Any) -> dict[str, Any]:
        """Add a markdown cell."""
        return self._add(cell_type="markdown", metadata={}, source=self.text(source), **more)

    def raw(self, source: str) -> dict[str, Any]:
        """Add a raw cell."""
        return self._add(cell_type="raw", metadata={"format": "text/plain"}, source=self.text(source))

    def _add(self, **cell: Any) -> dict[str, Any]:
        cell["id"] = draw(self.rng, string.hexdigits[:16], 8)
        self.cells.append(cell)
        return cell

    def stream(self, text: str, name: str = "stdout") -> dict[str, Any]:
        """Return what was printed."""
        return {
            "output_type": "stream",
            "name": name,
            "text": self.text(text if text.endswith("\n") else text + "\n"),
        }

    def result(self, **bundle: Any) -> dict[str, Any]:
        """Return a cell's last value; ``__`` in a key stands for ``/``."""
        return {
            "output_type": "execute_result",
            "metadata": {},
            "data": self._bundle(bundle),
            "execution_count": 0,
        }

    def display(self, **bundle: Any) -> dict[str, Any]:
        """Return displayed data; ``__`` in a key stands for ``/``, ``_plus_`` for ``+``."""
        return {"output_type": "display_data", "metadata": {}, "data": self._bundle(bundle)}

    def _bundle(self, bundle: dict[str, Any]) -> dict[str, Any]:
        named = {
            k.replace("__", "/").replace("_plus_", "+").replace("_dot_", ".").replace("_dash_", "-"): v
            for k, v in bundle.items()
        }
        return {
            k: self.text(v) if isinstance(v, str) and not k.startswith("image/p") else v
            for k, v in named.items()
        }

    def notebook(self) -> dict[str, Any]:
        """Return the notebook in nbformat 4.5."""
        return {"cells": self.cells, "metadata": self.metadata, "nbformat": 4, "nbformat_minor": 5}

    def notebook3(self) -> dict[str, Any]:
        """Return the notebook as IPython 2 wrote it (nbformat 3)."""
        cells = []
        for cell in self.cells:
            old = {k: v for k, v in cell.items() if k in ("cell_type", "metadata")}
            if cell["cell_type"] == "code":
                old |= {
                    "input": cell["source"],
                    "language": "python",
                    "collapsed": False,
                    "prompt_number": cell["execution_count"],
                }
                old["outputs"] = [self._output3(output) for output in cell["outputs"]]
            else:
                old["source"] = cell["source"]
            cells.append(old)
        return {
            "metadata": {"name": self.name},
            "nbformat": 3,
            "nbformat_minor": 0,
            "worksheets": [{"cells": cells, "metadata": {}}],
        }

    @staticmethod
    def _output3(output: dict[str, Any]) -> dict[str, Any]:
        kind = output["output_type"]
        if kind == "stream":
            return {"output_type": "stream", "stream": output["name"], "text": output["text"]}
        if kind == "error":
            return {**output, "output_type": "pyerr"}
        short = {
            "text/plain": "text",
            "text/html": "html",
            "image/svg+xml": "svg",
            "text/latex": "latex",
            "image/png": "png",
        }
        data = {
            short.get(k, "text"): v if isinstance(v, (str, list)) else str(v)
            for k, v in output["data"].items()
        }
        kind = "pyout" if kind == "execute_result" else kind
        return {
            "output_type": kind,
            "metadata": {},
            **data,
            **({"prompt_number": output["execution_count"]} if kind == "pyout" else {}),
        }


def run_id(rng: Random) -> str:
    """Return an id as schedulers print it."""
    return guid(rng)
