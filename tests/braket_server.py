"""A small Amazon Braket with its S3, for tests: real HTTP, signatures checked by botocore, a real simulator.

One bucket, one account. It speaks what the Braket SDK calls to run circuits, and tells what it saw.
"""

import json
import threading
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from catalogue import target

REGION, BUCKET, PREFIX, ACCOUNT = "us-east-1", "amazon-braket-lab", "tasks", "123456789012"
DEVICE = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"
ACCESS_KEY, SECRET_KEY = "AKIALABLABLABLABLABL", "canary-braket-secret-3f9a1c"
KEY = f"{ACCESS_KEY}:{SECRET_KEY}"
GATEWAY = """
backends = ["arn:aws:braket:::device/*"]
{more}
[targets.{name}.gateway]
provider = "braket"
instance = "{instance}"
answer = "10s"
submit = "10s"
[targets.{name}.gateway.addresses]
braket = "{address}"
s3 = "{address}"
"""


def entry(address, name="amazon", more="") -> str:
    """Return a target of the catalogue that leads to a Braket; ``more`` are lines of its own."""
    gateway = GATEWAY.format(name=name, more=more, instance=f"{REGION}/{BUCKET}/{PREFIX}", address=address)
    return target(name, gateway, provider="braket", tier="proxy")


def device() -> dict:
    """Return what the simulator says of itself, as Braket's SV1 would."""
    from braket.devices import LocalSimulator

    capabilities = json.loads(LocalSimulator().properties.json())
    capabilities["service"]["shotsRange"] = [0, 100000]
    return {
        "deviceArn": DEVICE,
        "deviceName": "SV1",
        "deviceType": "SIMULATOR",
        "deviceStatus": "ONLINE",
        "providerName": "Amazon Braket",
        "deviceCapabilities": json.dumps(
            {
                **capabilities,
                "braketSchemaHeader": {
                    "name": "braket.device_schema.simulators.gate_model_simulator_device_capabilities",
                    "version": "1",
                },
                "paradigm": {
                    "braketSchemaHeader": {
                        "name": "braket.device_schema.simulators.gate_model_simulator_paradigm_properties",
                        "version": "1",
                    },
                    "qubitCount": 20,
                },
            }
        ),
    }


class BraketServer:
    """The server.

    Attributes:
        seen: Bodies of all tasks as they came in.
        requests: Method, path and headers of every request.
        tasks: By ARN.
    """

    def __init__(self) -> None:
        self.seen: list[dict] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.tasks: dict[str, dict] = {}
        self.objects: dict[str, bytes] = {
            f"{BUCKET}/{PREFIX}/not-yours.json": b"{}",
            "other/secret.json": b"{}",
        }
        self.keep_queued = False
        self.device = device()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def create(self, task: dict) -> dict:
        self.seen.append(task)
        for known in self.tasks.values():
            if known["clientToken"] == task["clientToken"]:
                return known
        name = str(uuid.uuid4())
        arn = f"arn:aws:braket:{REGION}:{ACCOUNT}:quantum-task/{name}"
        made = {
            "quantumTaskArn": arn,
            "status": "QUEUED" if self.keep_queued else "COMPLETED",
            "deviceArn": task["deviceArn"],
            "deviceParameters": task.get("deviceParameters") or "{}",
            "shots": task["shots"],
            "outputS3Bucket": task["outputS3Bucket"],
            "outputS3Directory": f"{task['outputS3KeyPrefix']}/{name}",
            "createdAt": datetime.now(timezone.utc).isoformat(),
            "tags": task.get("tags") or {},
            "clientToken": task["clientToken"],
        }
        self.tasks[arn] = made
        if not self.keep_queued:
            self.objects[f"{BUCKET}/{made['outputS3Directory']}/results.json"] = _run(task, arn)
        return made


def _run(task: dict, arn: str) -> bytes:
    from braket.devices import LocalSimulator
    from braket.ir.openqasm import Program

    action = json.loads(task["action"])
    program = Program(source=action["source"], inputs=action.get("inputs") or {})
    simulator = LocalSimulator()
    result = simulator._delegate.run(program, shots=task["shots"])
    result.measurements = result.measurements or None  # none where no shot was taken, as Braket has it
    result.taskMetadata.id = arn
    result.taskMetadata.deviceId = task["deviceArn"]
    return result.json().encode()


class _Handler(BaseHTTPRequestHandler):
    owner: BraketServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_GET  # noqa: N815

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.requests.append((self.command, self.path, headers))
        service = "s3" if self.path.startswith(("/amazon-", "/other")) else "braket"
        if not _is_signed(self.command, f"http://{headers['host']}{self.path}", headers, body, service):
            self._say(403, {"message": "The request signature we calculated does not match"})
            return
        self._say(*self._answer(urlsplit(self.path).path, body))

    def _answer(self, path: str, body: bytes):  # one line a call
        owner = self.owner
        first, rest = (*path[1:].split("/", 1), "")[:2]
        if first == "devices":
            return 200, {"devices": [{k: v for k, v in owner.device.items() if k != "deviceCapabilities"}]}
        if first == "device":
            return 200, owner.device
        if (first, self.command) == ("quantum-task", "POST"):
            return 201, {"quantumTaskArn": owner.create(json.loads(body))["quantumTaskArn"]}
        if first == "quantum-tasks":
            return 200, {"quantumTasks": list(owner.tasks.values())}
        if first == "quantum-task":
            task = owner.tasks.get(unquote(rest).removesuffix("/cancel"))
            if task is None:
                return 404, {"message": "no such task"}
            if self.command == "PUT":
                task["status"] = "CANCELLED"
                return 200, {"quantumTaskArn": task["quantumTaskArn"], "cancellationStatus": "CANCELLING"}
            return 200, task
        found = owner.objects.get(unquote(path[1:]))
        return (200, found) if found is not None else (404, b"<Error><Code>NoSuchKey</Code></Error>")

    def _say(self, status: int, content) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _is_signed(method: str, url: str, headers: dict[str, str], body: bytes, service: str) -> bool:
    """Check a signature as AWS does: make it again, by botocore, with the key that only the account has."""
    told = headers.get("authorization", "")
    if f"Credential={ACCESS_KEY}/" not in told or f"/{REGION}/{service}/aws4_request" not in told:
        return False
    names = told.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(method, url, {name: headers.get(name, "") for name in names}, body)
    request.context["timestamp"] = headers.get("x-amz-date", "")
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    signer = kind(Credentials(ACCESS_KEY, SECRET_KEY), service, REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return told.endswith(f"Signature={signer.signature(text, request)}")


@pytest.fixture
def braket_server():
    """A Braket of its own for one test."""
    server = BraketServer()
    yield server
    server.close()
