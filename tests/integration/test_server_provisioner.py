"""Real IPython kernels started by our provisioner, their sockets answered by a control plane that notes."""

import asyncio
import logging
import sys
from types import SimpleNamespace

import psutil
import pytest
import pytest_asyncio
from jupyter_client.multikernelmanager import AsyncMultiKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from traitlets.config import LoggingConfigurable

from qsec_jupyter.core.wire import FD_VARIABLE
from qsec_jupyter.server.kernels import KernelSockets
from qsec_jupyter.server.provisioner import NAME, SETTING, QsecProvisioner

ADA = {"name": "ada", "display_name": "Ada", "identity_provider": "local account"}
STATE = {
    "principal": ADA,
    "vault": {"label": "a store"},
    "health": {"status": "ok", "checks": []},
    "grants": [],
}


class NotedCalls:
    def __init__(self) -> None:
        self.calls = []

    async def call(self, method, path, body=None, *, kernel_id=None, wait=0):
        self.calls.append((method, path))
        return STATE

    def ends(self) -> list[str]:
        return [path for _, path in self.calls if path.endswith("/ended")]


class ServerApp(LoggingConfigurable):
    """As much of a Jupyter Server as the provisioner looks for."""

    web_app = SimpleNamespace(settings={})


class EntryPoint:
    name = NAME
    value = "qsec_jupyter.server.provisioner:QsecProvisioner"

    def load(self):
        return QsecProvisioner


@pytest_asyncio.fixture
async def world(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    calls = NotedCalls()
    sockets = KernelSockets(calls, lambda *_: None, logging.getLogger("test"))
    server = ServerApp()
    server.web_app.settings[SETTING] = sockets
    KernelProvisionerFactory.clear_instance()
    factory = KernelProvisionerFactory.instance(parent=server)
    factory.provisioners[NAME] = EntryPoint()
    factory.default_provisioner_name = NAME
    manager = AsyncMultiKernelManager(parent=server, connection_dir=str(tmp_path))
    yield SimpleNamespace(calls=calls, sockets=sockets, manager=manager)
    await manager.shutdown_all(now=True)
    await sockets.drain()
    KernelProvisionerFactory.clear_instance()


async def start(world):
    kernel_id = await world.manager.start_kernel(kernel_name="python3")
    return kernel_id, world.manager.get_kernel(kernel_id)


async def evaluate(kernel, code: str) -> str:
    client = kernel.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        printed = []

        def note(message) -> None:
            if message["header"]["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        await client.execute_interactive(code, timeout=60, output_hook=note)
        return "".join(printed).strip()
    finally:
        client.stop_channels()


async def until(condition) -> None:
    for _ in range(300):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true within 3 s")


@pytest.mark.asyncio
async def test_kernel_knows_only_a_number_and_its_children_inherit_nothing(world) -> None:
    _, kernel = await start(world)
    process = psutil.Process(kernel.provisioner.process.pid)
    ours = {key: value for key, value in process.environ().items() if "QSEC" in key and key != "QSEC_HOME"}
    assert set(ours) == {FD_VARIABLE}
    assert ours[FD_VARIABLE].isdigit()
    assert await evaluate(kernel, f"import os; print({FD_VARIABLE!r} in os.environ)") == "False"
    child = f"import os; print(os.path.exists('/proc/self/fd/{ours[FD_VARIABLE]}'))"
    run = (
        f"subprocess.run([sys.executable, '-c', {child!r}], capture_output=True, close_fds=False, text=True)"
    )
    if sys.platform == "linux":
        assert await evaluate(kernel, f"import subprocess, sys; print({run}.stdout)") == "False"


@pytest.mark.asyncio
async def test_killed_kernel_is_reported_within_two_seconds(world) -> None:
    kernel_id, kernel = await start(world)
    await evaluate(kernel, "1")
    kernel.provisioner.process.kill()
    await until(lambda: world.calls.ends() == [f"/v1/kernels/{kernel_id}/ended"])


@pytest.mark.asyncio
async def test_restart_ends_the_old_process_and_opens_a_fresh_pair(world) -> None:
    kernel_id, kernel = await start(world)
    await evaluate(kernel, "1")
    await kernel.restart_kernel(now=True)
    assert await evaluate(kernel, "import qsec_jupyter as q; print(q.grants())") in {"[]", ""}
    assert world.calls.ends() == [f"/v1/kernels/{kernel_id}/ended"]
    assert world.sockets.ids() == [kernel_id]


@pytest.mark.asyncio
async def test_kernel_reaches_the_server_over_its_socket(world) -> None:
    _, kernel = await start(world)
    shown = await evaluate(kernel, "import qsec_jupyter as qsec; print(qsec.status())")
    assert "Ada" in shown
    assert "a store" in shown
    assert ("GET", "/v1/state") in world.calls.calls


@pytest.mark.asyncio
async def test_kernel_without_the_extension_starts_bare(world) -> None:
    kernel_manager_settings = ServerApp.web_app.settings
    sockets = kernel_manager_settings.pop(SETTING)
    _, kernel = await start(world)
    environ = psutil.Process(kernel.provisioner.process.pid).environ()
    assert FD_VARIABLE not in environ
    kernel_manager_settings[SETTING] = sockets
