"""What happens at a save: the file on disk never holds a secret, and a save is never lost.

A notebook is written with markers in the place of secrets. Any other text file is scanned and
reported, but written as it is: a marker in a ``.env`` or a ``.py`` would break what reads it. When
the scan itself fails the save is refused with a message; the work is still in the tab.

Not seen here, because Jupyter calls no hook: renaming, restoring a checkpoint, and whatever a
kernel, a terminal or git writes. An upload in chunks reaches the disk first and is scanned, and a
notebook rewritten, when its last chunk has arrived.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tornado.web import HTTPError

from ..core.errors import Denied, NotFound, QsecError
from ..core.model import Finding, rfc3339
from ..scan.baseline import Baseline, fingerprint_key, write_atomically
from ..scan.known import KnownValues
from ..scan.scanner import ISSUED, Scanner, ScanResult

REPORTS = 200
"""How many files' last reports are remembered."""

UPLOAD_LIMIT = 512 * 1024 * 1024
"""A larger upload is not read again; its report says so (bytes)."""

_NOT_NOTEBOOK = (
    "This is not a notebook (a JSON object with cells), so nothing was written. Save it as a text file."
)


@dataclass(frozen=True)
class ScanReport:
    """What the last save of a file found. It holds no secret that was redacted.

    Attributes:
        path: As the contents manager names the file.
        saved_at: RFC 3339.
        findings: In the order of the file.
        cells: Index of each changed cell to its redacted ``source`` (text), ``outputs``, ``metadata``
            and ``attachments``, so that an open tab can be brought in step.
        unscanned: What was not read, and why.
    """

    path: str
    saved_at: str
    findings: tuple[Finding, ...] = ()
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    unscanned: tuple[dict[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "path": self.path,
            "saved_at": self.saved_at,
            "findings": [asdict(finding) for finding in self.findings],
            "cells": self.cells,
            "unscanned": list(self.unscanned),
        }


class SaveGuard:
    """Scans every save of a contents manager and remembers what was found.

    Args:
        on_report: Called with each report, on the thread that saves; must return at once.
        log: The Jupyter Server's logger.
        scanner: Default: the shipped rules with this user's kept findings.
        known: The issued values that ``scanner`` looks for; given together with it.
        baseline: The kept findings that ``scanner`` knows; given together with it.
        clock: Gives the time of a save; tests replace it.
    """

    def __init__(
        self,
        on_report: Callable[[ScanReport], None] | None = None,
        log: logging.Logger | None = None,
        *,
        scanner: Scanner | None = None,
        known: KnownValues | None = None,
        baseline: Baseline | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.known = known or KnownValues()
        self._on_report = on_report or (lambda _: None)
        self._log = log or logging.getLogger("qsec")
        self._clock = clock or (lambda: datetime.now(timezone.utc))
        self._baseline = baseline or Baseline()
        self._scanner = scanner or Scanner(self.known, self._baseline, self._fingerprint_key())
        self._lock = threading.Lock()
        self._reports: OrderedDict[str, ScanReport] = OrderedDict()
        self._places: dict[tuple[int, int], str] = {}  # device and inode of a saved file -> its path
        self._uploads: set[str] = set()

    def _fingerprint_key(self) -> bytes:
        try:
            return fingerprint_key()
        except OSError as error:
            self._log.warning(
                "qsec: fingerprints change with each start, their key cannot be kept (%s)",
                type(error).__name__,
            )
            return secrets.token_bytes(32)

    def attach(self, contents_manager: Any) -> None:
        """Register the hooks with a contents manager."""

        def qsec_pre_save(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
            self.before_save(model, path, contents_manager)

        def qsec_post_save(model: dict[str, Any], os_path: str, contents_manager: Any, **_: Any) -> None:
            self.after_save(model, os_path)

        contents_manager.register_pre_save_hook(qsec_pre_save)
        contents_manager.register_post_save_hook(qsec_post_save)

    def warm(self) -> None:
        """Load the rules now instead of at the first save; may run on any thread."""
        self._log.debug("qsec: scanning with %s", self._scanner.rules.engine.name)

    # -- what was found ---------------------------------------------------------------------------

    def report(self, path: str) -> ScanReport | None:
        """Return the report of the last save of ``path`` by this server."""
        return self._reports.get(path.strip("/"))

    def keep(self, path: str, fingerprint: str, reason: str, user: str) -> ScanReport:
        """Keep a finding of the last save: from the next save on its value is written.

        Raises:
            NotFound: ``finding.unknown`` when the last save of ``path`` found no such value.
            Denied: ``finding.issued`` for a credential that the broker issued; it is never written.
            Unavailable: ``scan.baseline_unwritable``.
        """
        path = path.strip("/")
        report = self.report(path)
        found = [f for f in report.findings if f.fingerprint == fingerprint] if report else []
        if report is None or not found:
            raise NotFound(
                "finding.unknown",
                "The last save found no such value",
                "It was saved since, or by another server.",
                "Save the notebook and choose again.",
            )
        if any(finding.rule == ISSUED for finding in found):
            raise Denied(
                "finding.issued",
                "An issued credential is never written to a file",
                "The broker issued this value for a time; it can be asked for again.",
                "Call qsec.credential() where the value is needed.",
            )
        self._baseline.keep(fingerprint, path, reason, user)
        kept = tuple(
            replace(f, action="kept") if f.fingerprint == fingerprint else f for f in report.findings
        )
        return self._remember(replace(report, findings=kept))

    # -- hooks ------------------------------------------------------------------------------------

    def before_save(self, model: dict[str, Any], path: str, contents_manager: Any = None) -> None:
        """Scan what is about to be written, and put the redacted form in its place in ``model``.

        The content object itself is not changed: its owner may still use it.

        Raises:
            HTTPError: The save is refused, with a message for the user. Any other exception would
                be logged by Jupyter and the file saved unscanned.
        """
        try:
            self._before_save(model, path.strip("/"), contents_manager)
        except HTTPError:
            raise
        except QsecError as error:
            raise _refusal(f"{error.title}. {error.remedy}") from None
        except Exception as error:  # noqa: BLE001  # whatever it is, the file must not be saved unscanned
            self._log.error("qsec: the scan of a save failed with %s", type(error).__name__)
            raise _refusal(f"The scan failed ({type(error).__name__}).") from None

    def _before_save(self, model: dict[str, Any], path: str, contents_manager: Any) -> None:
        if model.get("chunk") is not None:
            self._uploads.add(path)  # scanned when it is complete
            return
        self._uploads.discard(path)
        if "content" not in model or model.get("type") == "directory":
            return
        self._follow_rename(path, contents_manager)
        if model.get("type") == "notebook":
            if not isinstance(model["content"], dict):
                raise HTTPError(400, _NOT_NOTEBOOK)
            result = self._scanner.scan_notebook(model["content"], path)
            if result.redacted is not None:
                model["content"] = result.redacted
        else:
            result = self._scan_file(model, path)
        self._publish(path, result)

    def _scan_file(self, model: dict[str, Any], path: str) -> ScanResult:
        """Scan a file that is saved as text or base64; redact it when it is a notebook all the same."""
        content = model["content"]
        try:
            encoded = model.get("format") == "base64"
            text = base64.b64decode(content).decode() if encoded else content
        except (ValueError, binascii.Error, TypeError):
            return _not_text()
        if not isinstance(text, str):
            raise HTTPError(400, "The content is not text, so nothing was written.")
        result = self._scan_text(text, path)
        if isinstance(result.redacted, str):
            data = result.redacted.encode("utf-8", "surrogatepass")
            model["content"] = base64.b64encode(data).decode("ascii") if encoded else result.redacted
        return result

    def _scan_text(self, text: str, path: str) -> ScanResult:
        """Scan a file's text; ``redacted`` is set for a notebook only."""
        if not path.endswith(".ipynb"):
            result = self._scanner.scan_text(text, path)
            return replace(
                result, redacted=None, findings=[_reported(finding) for finding in result.findings]
            )
        try:
            notebook = json.loads(text)
        except (ValueError, RecursionError):
            notebook = None
        if isinstance(notebook, dict):
            result = self._scanner.scan_notebook(notebook, path)
            if result.redacted is not None:
                text = json.dumps(result.redacted, indent=1, ensure_ascii=False) + "\n"
                result = replace(result, redacted=text)
            return result
        why = "the notebook is not valid JSON and was read as plain text"
        return replace(self._scanner.scan_text(text, path), unscanned=[{"surface": "notebook", "why": why}])

    def after_save(self, model: dict[str, Any], os_path: str) -> None:
        """Scan an upload whose last chunk has arrived, and note where the file lies.

        Raises:
            HTTPError: The upload is on disk and could not be scanned.
        """
        path = str(model.get("path", "")).strip("/")
        if path in self._uploads:
            self._uploads.discard(path)
            try:
                self._publish(path, self._scan_upload(Path(os_path), path))
            except Exception as error:  # noqa: BLE001  # never silently unscanned
                self._log.error("qsec: the scan of an upload failed with %s", type(error).__name__)
                left = ({"surface": "file", "why": "the scan failed"},)
                self._remember(ScanReport(path, rfc3339(self._clock()), unscanned=left))
                raise HTTPError(
                    500, f"{path} was uploaded but could not be scanned for secrets. Check it with: qsec scan"
                ) from None
        if path in self._reports and (place := _place(os_path)):
            with self._lock:
                self._places = {key: name for key, name in self._places.items() if name != path}
                self._places[place] = path

    def _scan_upload(self, file: Path, path: str) -> ScanResult:
        if file.stat().st_size > UPLOAD_LIMIT:
            return ScanResult([], unscanned=[{"surface": "file", "why": "larger than 512 MB"}])
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            return _not_text()
        result = self._scan_text(text, path)
        if isinstance(result.redacted, str):
            write_atomically(
                file, result.redacted.encode("utf-8", "surrogatepass"), file.stat().st_mode & 0o777
            )
        return result

    def _follow_rename(self, path: str, contents_manager: Any) -> None:
        """Let report and kept findings follow a file that was renamed since its last save."""
        locate = getattr(
            contents_manager, "_get_os_path", None
        )  # file managers only; others lose the history
        if path in self._reports or locate is None:
            return
        place = _place(locate(path))
        old = self._places.get(place) if place else None
        if old is None or _place(locate(old)) == place:
            return
        self._baseline.move(old, path)
        with self._lock:
            report = self._reports.pop(old, None)
        if report is not None:
            self._remember(replace(report, path=path))

    def _publish(self, path: str, result: ScanResult) -> None:
        report = ScanReport(
            path,
            rfc3339(self._clock()),
            tuple(result.findings),
            result.cells,
            tuple(result.unscanned),
        )
        self._remember(report)
        if report.findings:
            self._log.warning("qsec: %d finding(s) in %s", len(report.findings), path)
        try:
            self._on_report(report)
        except Exception as error:  # noqa: BLE001  # the file is scanned; a listener's fault must not cost the save
            self._log.error("qsec: a report could not be delivered (%s)", type(error).__name__)

    def _remember(self, report: ScanReport) -> ScanReport:
        with self._lock:
            self._reports[report.path] = report
            self._reports.move_to_end(report.path)
            while len(self._reports) > REPORTS:
                old, _ = self._reports.popitem(last=False)
                self._places = {key: name for key, name in self._places.items() if name != old}
        return report


def _refusal(what: str) -> HTTPError:
    return HTTPError(
        500,
        f"qsec did not save this file, because it could not check it for secrets. {what} "
        "Your work is still in this tab: save again, or run `qsec doctor` in a terminal.",
    )


def _not_text() -> ScanResult:
    return ScanResult([], unscanned=[{"surface": "file", "why": "not a text in UTF-8"}])


def _reported(finding: Finding) -> Finding:
    return replace(finding, action="reported") if finding.action == "redacted" else finding


def _place(os_path: str) -> tuple[int, int] | None:
    """Return device and inode: they stay when a file is renamed."""
    try:
        status = Path(os_path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
