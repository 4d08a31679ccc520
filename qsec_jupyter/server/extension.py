"""The Jupyter Server extension: puts the server's parts together and ends them in order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Unicode

from ..core.classification import DataPolicy
from ..core.errors import QsecError
from ..scan import logs
from ..scan.masking import Masker
from . import downloads, export
from .collaboration import Collaboration
from .control_plane import ControlPlane
from .coverage.rows import Coverage
from .handlers import routes
from .identity import owner
from .kernels import KernelSockets
from .notebooks import Notebooks
from .presence import Presence
from .provisioner import NAME, SETTING
from .save import SaveGuard, ScanReport

_WATCH_SECONDS = 20.0
_WATCH_PAUSE = 1.0
_FINDINGS_AT_ONCE = 1000


class QsecExtension(ExtensionApp):
    """Credentials on demand, recorded runs and leak-free saves for this server's kernels and notebooks."""

    name = "qsec"
    load_other_extensions = True

    provision_kernels = Bool(
        True, config=True, help="Start Python kernels with a qsec socket and hooks; off leaves kernels bare."
    )

    owner_username = Unicode(
        "",
        config=True,
        help="What the identity provider calls the owner of this server, where that is another name than the "
        "account's; whoever else is connected to a kernel shares it.",
    )

    def initialize_settings(self) -> None:
        """Create the parts. Nothing is started here: the server's start path stays short."""
        serverapp = self.serverapp
        user = owner()
        self.guard = SaveGuard(
            on_report=self._report_findings, log=self.log, folder=Path(serverapp.root_dir or ".")
        )
        masker = Masker(self.guard.known)
        self._unmask_logs = logs.install(masker)
        self.control = ControlPlane(user, self.log, on_ready=self._reconcile, kernels=self._living)
        notebooks = Notebooks(serverapp.session_manager, serverapp.contents_manager)
        self.kernels = KernelSockets(
            self.control, self.guard.known.add, self.log, notebooks, masked=masker.redact
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self.settings.update({SETTING: self.kernels, "qsec_owner": user, "qsec_control": self.control})
        self.settings |= {"qsec_notebooks": notebooks, "qsec_masked": masker.redact}
        self.contents = self.guard.attach(serverapp.contents_manager)
        self.collaboration = Collaboration(serverapp, self.guard, self.log)
        self.presence = Presence(
            self.owner_username or user["name"],
            self.control,
            self.kernels.ids,
            self.collaboration,
            notebooks,
            self.log,
        )
        self.presence.attach(self.settings)
        self.settings["qsec_coverage"] = Coverage(
            serverapp, self.contents, self.guard, self.collaboration, self.kernels
        )
        export.register(serverapp.web_app.settings["config"], self.guard)
        self._choose_provisioner()

    def initialize_handlers(self) -> None:
        """Add the routes below ``qsec/``."""
        self.handlers.extend(routes(self.control, self.guard))
        if downloads.available(self.contents):
            manager = self.serverapp.contents_manager
            params = {**manager.files_handler_params, "guard": self.guard}
            self.handlers.append((downloads.ROUTE, downloads.guarded(manager.files_handler_class), params))
        else:
            self.log.warning("qsec: this contents manager keeps no files on disk, downloads are not scanned")

    def _choose_provisioner(self) -> None:
        factory = KernelProvisionerFactory.instance(parent=self.serverapp)
        if not self.provision_kernels:
            self.log.warning("qsec: kernels start bare, by configuration; they get no credentials")
        elif factory.default_provisioner_name == "local-provisioner":
            factory.default_provisioner_name = NAME
        elif factory.default_provisioner_name != NAME:
            self.log.warning(
                "qsec: kernels are started by %s, so they get no credentials",
                factory.default_provisioner_name,
            )

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Start the control plane and the watch behind the server's start."""
        self.control.start()
        self._spawn(self._watch())
        self._spawn(self.presence.watch_rooms())
        self._spawn(asyncio.to_thread(self.guard.warm))

    async def stop_extension(self) -> None:
        """Revoke what every kernel holds, then end the control plane."""
        for task in self._tasks:
            task.cancel()
        self.presence.stop()
        await self.kernels.drain()
        await self.control.stop()
        self._unmask_logs()

    # -- between control plane and kernels --------------------------------------------------------

    async def _watch(self) -> None:
        """Follow the state and push each change of a grant to the kernel that holds it."""
        seen: dict[str, str] = {}
        since = 0
        while True:
            try:
                path = f"/v1/state?since={since}&wait={_WATCH_SECONDS:g}"
                state = await self.control.call("GET", path, wait=_WATCH_SECONDS)
            except QsecError:
                since = 0  # a restarted control plane counts anew
                await asyncio.sleep(_WATCH_PAUSE)
                continue
            since = state["version"]
            self._obey(state.get("data_classes"))
            self.guard.targets = state["targets"]
            for grant in state["grants"]:
                if seen.get(grant["id"]) != grant["state"]:
                    seen[grant["id"]] = grant["state"]
                    await self.kernels.push_grant(grant)

    def _obey(self, data_classes: Any) -> None:
        """Take the rules of the data classes; rules that cannot be read leave those in force that are."""
        try:
            self.guard.obey(DataPolicy.from_dict(data_classes))
        except (QsecError, AttributeError, TypeError) as error:
            self.log.error("qsec: the control plane's data classes cannot be read (%s)", type(error).__name__)

    def _living(self) -> dict[str, list[str]]:
        """Return the kernels that live, with the names of who is present at each."""
        return {kernel_id: self.presence.others(kernel_id) for kernel_id in self.kernels.ids()}

    async def _reconcile(self, greeting: dict[str, Any]) -> None:
        """End what kernels held that went away while no control plane ran."""
        state = await self.control.call("GET", "/v1/state")
        alive = set(self.kernels.ids())
        for kernel_id in {grant["kernel_id"] for grant in state["grants"] if not grant["ended_at"]} - alive:
            await self.control.call("POST", f"/v1/kernels/{quote(kernel_id, safe='')}/ended")
        self.presence.tell_again()

    def _report_findings(self, report: ScanReport) -> None:
        """Tell of what a scan found; called on the server's loop or a worker thread."""
        loop = self.serverapp.io_loop.asyncio_loop
        loop.call_soon_threadsafe(lambda: self._spawn(self.collaboration.follow(report)))
        if report.findings:
            loop.call_soon_threadsafe(lambda: self._spawn(self._deliver_findings(report)))

    async def _deliver_findings(self, report: ScanReport) -> None:
        findings = report.to_dict()["findings"]
        for start in range(0, len(findings), _FINDINGS_AT_ONCE):
            body = {"path": report.path, "findings": findings[start : start + _FINDINGS_AT_ONCE]}
            if not await self._deliver(body):
                self.log.error("qsec: the findings of %s did not reach the ledger", report.path)
                return

    async def _deliver(self, body: dict[str, Any]) -> bool:
        for pause in (0.0, 2.0, 10.0, 30.0):
            await asyncio.sleep(pause)
            try:
                await self.control.call("POST", "/v1/findings", body)
            except QsecError as error:
                self.log.warning("qsec: findings of %s not delivered yet (%s)", body["path"], error.code)
            else:
                return True
        return False

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.log.error("qsec: a background task ended with %s", type(task.exception()).__name__)
