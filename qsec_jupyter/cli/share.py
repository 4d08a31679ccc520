"""``qsec share``: a stripped, scanned copy of a notebook to give away, with a report beside it."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.classification import Classified, DataPolicy
from ..core.errors import Conflict, Invalid, NotFound, QsecError, Unavailable
from ..core.model import rfc3339
from ..core.paths import home
from ..scan.baseline import Baseline, fingerprint_key, write_atomically
from ..scan.known import KnownValues
from ..scan.scanner import Scanner
from ..server.share import Copy, Keep, default_path, make_copy, report, report_path
from .servers import serving


def share(
    notebook: Annotated[Path, typer.Argument(help="The notebook, as it lies on disk.")],
    outputs: Annotated[bool, typer.Option("--outputs", help="Keep outputs, redacted.")] = False,
    execution_counts: Annotated[
        bool, typer.Option("--execution-counts", help="Keep the numbers of executions.")
    ] = False,
    metadata: Annotated[bool, typer.Option("--metadata", help="Keep metadata, redacted.")] = False,
    to: Annotated[
        Path | None, typer.Option(help="Where the copy goes. Default: beside the notebook.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Make a stripped, scanned copy of a notebook, with a report beside it, and record it.

    A running server that serves the notebook does the work: it knows the values that were issued.
    Without one it is done here, with the rules alone.
    """
    keep = Keep(outputs, execution_counts, metadata)
    done = _by_server(notebook, keep, to) or _here(notebook, keep, to)
    if as_json:
        print(json.dumps(done, indent=1))
        return
    found = len(done["findings"])
    print(f"{done['path']}: {found} finding{'' if found == 1 else 's'}, see {done['report']}")
    if not done["recorded"]:
        typer.echo("qsec: not recorded in the ledger; `qsec doctor` says why", err=True)


def _by_server(notebook: Path, keep: Keep, to: Path | None) -> dict[str, Any] | None:
    place = serving(notebook)
    if place is None:
        return None
    server, path = place
    target = server.path_of(to) if to else None
    if to and target is None:
        return None  # outside of what the server can write
    done: dict[str, Any] = server.ask("share", {"path": path, "keep": asdict(keep), "to": target})
    return {**done, "path": str(server.root / done["path"]), "report": str(server.root / done["report"])}


def _here(notebook: Path, keep: Keep, to: Path | None) -> dict[str, Any]:
    content = _read(notebook)
    target = _target(notebook, to)
    classified = _policy().of(content)
    scanner = Scanner(KnownValues(), Baseline(), fingerprint_key())
    shared = make_copy(content, str(notebook), keep, scanner)
    share_id = asyncio.run(_record(shared, str(notebook), str(target), classified))
    now = rfc3339(datetime.now(timezone.utc))
    beside = Path(report_path(str(target)))
    _write(target, shared.text)
    _write(beside, report(shared, str(notebook), str(target), classified, share_id, now))
    return {
        "path": str(target),
        "report": str(beside),
        "findings": [asdict(one) for one in shared.findings],
        "removed": shared.removed,
        "share_id": share_id,
        "recorded": share_id is not None,
    }


def _read(notebook: Path) -> Any:
    try:
        return json.loads(notebook.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise NotFound("share.no_notebook", "There is no such notebook", str(notebook)) from error
    except OSError as error:
        raise Unavailable("share.unreadable", "The notebook cannot be read", str(notebook)) from error
    except (ValueError, RecursionError) as error:
        raise Invalid("share.not_notebook", "The notebook cannot be read", "The file is not one.") from error


def _target(notebook: Path, to: Path | None) -> Path:
    target = to or Path(default_path(str(notebook)))
    if target.suffix != ".ipynb":
        raise Invalid("share.path", "The copy is a notebook", "Its name ends in .ipynb.")
    if target.exists() or Path(report_path(str(target))).exists():
        raise Conflict("share.exists", "Something lies there already", str(target), "Choose with --to.")
    return target


def _write(file: Path, text: str) -> None:
    try:
        write_atomically(file, text.encode("utf-8", "surrogatepass"), 0o644)
    except OSError as error:
        raise Unavailable(
            "share.unwritable", "The copy could not be written", str(file), "Free some space, or use --to."
        ) from error


def _policy() -> DataPolicy:
    """Return the data classes of this installation's catalogue."""
    try:
        from ..control.catalog import load_catalog
    except ModuleNotFoundError:
        return DataPolicy()
    return load_catalog(home()).data_policy


async def _record(shared: Copy, source: str, target: str, classified: Classified) -> str | None:
    """Record the copy by a control plane of its own; ``None`` when that cannot be."""
    from ..server.control_plane import ControlPlane
    from ..server.identity import owner
    from ..server.share import record

    control = ControlPlane(owner(), logging.getLogger("qsec"))
    control.start()
    try:
        return await record(control, shared, source, target, classified)
    except QsecError as error:
        logging.getLogger("qsec").warning("not recorded (%s)", error.code)
        return None
    finally:
        await control.stop()
