"""What happens at a save: the file on disk never holds a secret, and a save is never lost.

A notebook is written with markers in the place of secrets, unless its data class says otherwise. Any
other text file is scanned and reported, but written as it is: a marker in a ``.env`` or a ``.py``
would break what reads it. When the scan itself fails, or the data class blocks what was found, the
save is refused with a message; the work is still in the tab.

How saves and the other ways of a file get here is said in :mod:`.contents`.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tornado.web import HTTPError

from ...core.classification import Classified, DataPolicy
from ...core.errors import Denied, NotFound, QsecError
from ...core.model import rfc3339
from ...scan import settings
from ...scan.baseline import Baseline, fingerprint_key
from ...scan.known import KnownValues
from ...scan.literals import ISSUED
from ...scan.scanner import Scanner, ScanResult
from . import writing
from .ahead import ReadAhead
from .broker import offer
from .contents import GuardedContents
from .disk import scan_file, unread
from .report import Reports, ScanReport
from .treatment import Refused, treat

_NOT_NOTEBOOK = (
    "This is not a notebook (a JSON object with cells), so nothing was written. Save it as a text file."
)


class SaveGuard:
    """Scans what a contents manager writes and remembers what was found. Thread-safe.

    Args:
        on_report: Called with each report, on the thread that scans; must return at once.
        log: The Jupyter Server's logger.
        scanner: Default: the shipped rules with this user's kept findings.
        known: The issued values that ``scanner`` looks for; given together with it.
        baseline: The kept findings that ``scanner`` knows; given together with it.
        clock: Gives the time of a save; tests replace it.
        folder: The settings that hold there (``qsec.toml``) name more rules. Their programs are not run.

    Attributes:
        policy: The rules of the data classes. The shipped ones until the control plane tells its own.
        policy_told: Whether the control plane has told its own.
        targets: The catalogue's targets, for the calls that are offered in the place of secrets.
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
        folder: Path | None = None,
    ) -> None:
        self.known = known or KnownValues()
        self.policy = DataPolicy()
        self.policy_told = False
        self.targets: Sequence[dict[str, Any]] = ()
        self.reports = Reports()
        self.log = log or logging.getLogger("qsec")
        self._on_report = on_report or (lambda _: None)
        self._clock = clock or (lambda: datetime.now(timezone.utc))
        self._baseline = baseline or Baseline()
        self.scanner = scanner or Scanner(
            self.known, self._baseline, self._fingerprint_key(), sources=self._rule_sources(folder)
        )

    def _fingerprint_key(self) -> bytes:
        try:
            return fingerprint_key()
        except OSError as error:
            self.log.warning(
                "qsec: fingerprints change with each start, their key cannot be kept (%s)",
                type(error).__name__,
            )
            return secrets.token_bytes(32)

    def _rule_sources(self, folder: Path | None) -> Sequence[str]:
        """Return what a project's settings name; wrong ones are said, and cost nobody a save."""
        if folder is None:
            return ()
        try:
            return settings.find(folder).rules
        except QsecError as error:
            self.log.error("qsec: a project's own rules are not used: %s", error.detail)
            return ()

    def warm(self) -> None:
        """Load the rules now instead of at the first save; may run on any thread."""
        rules = self.scanner.rules
        self.log.debug("qsec: scanning with %s", rules.engine.name)
        for refused in rules.refused:
            self.log.warning("qsec: a rule is not used: %s", refused)

    def attach(self, manager: Any) -> GuardedContents:
        """Stand before a contents manager from now on."""
        contents = GuardedContents(manager, self)
        contents.attach()
        ReadAhead(self).attach(manager)
        writing.attach(manager)
        return contents

    def read_ahead(self, notebook: dict[str, Any], path: str) -> None:
        """Let the scanner know an opened notebook: its first save costs no more than the next."""
        try:
            self.scanner.read_ahead(notebook, path)
        except Exception as error:  # noqa: BLE001  # its save is scanned, and says what is wrong
            self.log.warning("qsec: an opened notebook was not read ahead (%s)", type(error).__name__)

    def obey(self, policy: DataPolicy) -> None:
        """Take the control plane's rules of the data classes."""
        self.policy, self.policy_told = policy, True

    # -- what was found ---------------------------------------------------------------------------

    def report(self, path: str) -> ScanReport | None:
        """Return the report of the last save of ``path`` by this server."""
        return self.reports.get(path.strip("/"))

    def keep(self, path: str, fingerprints: set[str], reason: str, user: str) -> ScanReport:
        """Keep findings of the last save: from the next save on their values are written.

        Raises:
            NotFound: ``finding.unknown`` when the last save of ``path`` found no such value.
            Denied: ``finding.issued`` for a credential that the broker issued, ``finding.keep_denied``
                where the data class does not allow it.
            Unavailable: ``scan.baseline_unwritable``.
        """
        report = self._found(path, fingerprints)
        if not self.policy.rules[report.data_class].keep:  # type: ignore[index]  # a class of this policy
            raise Denied(
                "finding.keep_denied",
                f"Nothing may be kept in a {report.data_class} file",
                "The policy of its data class says so.",
                "Replace the value by a call of qsec.credential(), or redact it.",
            )
        if any(one.rule == ISSUED and one.fingerprint in fingerprints for one in report.findings):
            raise Denied(
                "finding.issued",
                "An issued credential is never written to a file",
                "The broker issued this value for a time; it can be asked for again.",
                "Call qsec.credential() where the value is needed.",
            )
        for fingerprint in sorted(fingerprints):
            self._baseline.keep(fingerprint, report.path, reason, user)
        return self.reports.remember(report.acted("kept", fingerprints))

    def unkeep(self, path: str, fingerprints: set[str]) -> ScanReport:
        """Take kept findings back: from the next save on their values are redacted again.

        Raises:
            NotFound: ``finding.unknown`` when the last save of ``path`` found no such value.
            Unavailable: ``scan.baseline_unwritable``.
        """
        report = self._found(path, fingerprints)
        for fingerprint in sorted(fingerprints):
            self._baseline.forget(fingerprint, report.path)
        return self.reports.remember(report.acted("redacted", fingerprints))

    def _found(self, path: str, fingerprints: set[str]) -> ScanReport:
        report = self.report(path)
        if report is None or not fingerprints <= {one.fingerprint for one in report.findings}:
            raise NotFound(
                "finding.unknown",
                "The last save found no such value",
                "It was saved since, or by another server.",
                "Save the notebook and choose again.",
            )
        return report

    # -- a save -----------------------------------------------------------------------------------

    def before_save(self, model: dict[str, Any], path: str, *, again: bool = False) -> None:
        """Scan what is about to be written, and put the form to write in its place in ``model``.

        The content object itself is not changed: its owner may still use it.

        Args:
            model: As the contents manager is given it.
            path: Where it is saved.
            again: This save was scanned before; its report stays unless there is something new.

        Raises:
            HTTPError: The save is refused, with a message for the user. Any other exception would
                be logged by Jupyter and the file saved unscanned.
        """
        try:
            self._before_save(model, path.strip("/"), again)
        except HTTPError:
            raise
        except QsecError as error:
            raise _refusal(f"{error.title}. {error.remedy}") from None
        except Exception as error:  # noqa: BLE001  # whatever it is, the file must not be saved unscanned
            self.log.error("qsec: the scan of a save failed with %s", type(error).__name__)
            raise _refusal(f"The scan failed ({type(error).__name__}).") from None

    def _before_save(self, model: dict[str, Any], path: str, again: bool) -> None:
        if "content" not in model or model.get("type") == "directory":
            return
        if model.get("type") == "notebook":
            if not isinstance(model["content"], dict):
                raise HTTPError(400, _NOT_NOTEBOOK)
            classified = self.policy.of(model["content"])
            result = treat(self.scanner.scan_notebook(model["content"], path), model["content"], classified)
            content = result.redacted
            found = result.lenient.findings if isinstance(result, Refused) else result.findings
            result = replace(result, cells=offer(result.cells, model["content"], found, self.targets))
        else:
            result, classified, content = self._file(model, path)
        if not again or content is not None or isinstance(result, Refused):
            self.publish(path, result, classified)
        if isinstance(result, Refused):
            raise HTTPError(422, result.message)
        if content is not None:
            model["content"] = content

    def _file(self, model: dict[str, Any], path: str) -> tuple[ScanResult, Classified, str | None]:
        """Scan a file that is saved as text or base64; redact it when it is a notebook all the same."""
        content = model["content"]
        encoded = model.get("format") == "base64"
        try:
            text = base64.b64decode(content).decode() if encoded else content
        except (ValueError, binascii.Error, TypeError):
            return unread("not a text in UTF-8"), self.policy.of(), None
        if not isinstance(text, str):
            raise HTTPError(400, "The content is not text, so nothing was written.")
        result, classified = self.scan_text(text, path)
        if isinstance(result.redacted, str) and encoded:
            data = result.redacted.encode("utf-8", "surrogatepass")
            return result, classified, base64.b64encode(data).decode("ascii")
        return result, classified, result.redacted

    def scan_text(self, text: str, path: str) -> tuple[ScanResult, Classified]:
        """Scan a file's text as its data class wants it; ``redacted`` is set for a notebook only."""
        if not path.endswith(".ipynb"):
            classified = self.policy.of()
            return treat(self.scanner.scan_text(text, path), None, classified), classified
        try:
            notebook = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            notebook = None
        classified = self.policy.of(notebook)
        if isinstance(notebook, dict):
            result = treat(self.scanner.scan_notebook(notebook, path), notebook, classified)
            if result.redacted is not None:
                text = json.dumps(result.redacted, indent=1, ensure_ascii=False) + "\n"
                result = replace(result, redacted=text)
            return result, classified
        why = {"surface": "notebook", "why": "the notebook is not valid JSON and was read as plain text"}
        found = self.scanner.scan_text(text, path)
        return replace(found, unscanned=[*found.unscanned, why]), classified

    # -- what lies on disk ------------------------------------------------------------------------

    def clean_file(self, os_path: str, path: str, *, published: bool = True) -> ScanReport:
        """Scan a file on disk, and redact it in place when it is a notebook.

        What a data class blocks cannot be blocked here any more: it is redacted.

        Args:
            os_path: Where it lies.
            path: Under which name it is reported, and its findings kept.
            published: Whether it is the file itself; a checkpoint is another file's copy.

        Raises:
            OSError: The file cannot be read.
        """
        classified = self.policy.of()

        def scan(text: str) -> ScanResult:
            nonlocal classified
            result, classified = self.scan_text(text, path)
            return result.lenient if isinstance(result, Refused) else result

        result = scan_file(os_path, scan)
        if published:
            return self.publish(path, result, classified)
        return self._report(path, result, classified)

    def unscanned(self, path: str, why: str) -> ScanReport:
        """Report that a file was not scanned."""
        return self.reports.remember(self._report(path, unread(why), self.policy.of()))

    def moved(self, old: str, new: str) -> None:
        """Let reports and kept findings follow a file or folder that was renamed."""
        self._baseline.move(old, new)
        self.reports.move(old, new)

    # -- reports ----------------------------------------------------------------------------------

    def _report(self, path: str, result: ScanResult, classified: Classified) -> ScanReport:
        return ScanReport(
            path,
            rfc3339(self._clock()),
            tuple(result.findings),
            result.cells,
            tuple(result.unscanned),
            classified.name,
            isinstance(result, Refused),
        )

    def publish(self, path: str, result: ScanResult, classified: Classified) -> ScanReport:
        """Remember what was found, and tell whoever listens."""
        report = self.reports.remember(self._report(path, result, classified))
        if report.findings:
            self.log.warning("qsec: %d finding(s) in %s", len(report.findings), path)
        try:
            self._on_report(report)
        except Exception as error:  # noqa: BLE001  # the file is scanned; a listener's fault must not cost the save
            self.log.error("qsec: a report could not be delivered (%s)", type(error).__name__)
        return report


def _refusal(what: str) -> HTTPError:
    return HTTPError(
        500,
        f"qsec did not save this file, because it could not check it for secrets. {what} "
        "Your work is still in this tab: save again, or run `qsec doctor` in a terminal.",
    )
