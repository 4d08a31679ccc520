"""The structural hash is the same in the oldest Qiskit that is supported, in between, and in ours.

Each version lives in an environment of its own under ``.cache/qiskit``, made by uv the first time.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "provenance"
VERSIONS = ("1.4", "2.0", "2.1")
SEEDS = 400

PROGRAM = """
import json, random, sys, warnings
warnings.simplefilter("ignore")
sys.path[:0] = [{root!r}, {tests!r}]
import neutral_circuits, second_hash, qiskit
from qsec_jupyter.provenance.circuit import structural_hash, pack, load, snapshot

class Draw:
    def __init__(self, seed): self.random = random.Random(seed)
    def integer(self, least, most): return self.random.randint(least, most)
    def choice(self, items): return self.random.choice(list(items))
    def number(self): return self.random.choice([0.0, -0.0, 1.5, self.random.uniform(-7, 7)])
    def shuffled(self, items): return self.random.sample(list(items), len(list(items)))

vectors = json.load(open({vectors!r}))["vectors"]
wrong = [v["name"] for v in vectors if structural_hash(neutral_circuits.build(v["circuit"])) != v["hash"]]
for seed in range({seeds}):
    told = neutral_circuits.circuits(Draw(seed))
    circuit = neutral_circuits.build(told)
    expected = second_hash.circuit_hash(told)
    if structural_hash(circuit) != expected or structural_hash(snapshot(circuit)()) != expected:
        wrong.append(seed)
bell = qiskit.QuantumCircuit(2, 2)
bell.h(0)
for _ in range(1500): bell.cx(0, 1)
if structural_hash(load(pack(bell))) != structural_hash(bell): wrong.append("artefact")
print(json.dumps([qiskit.__version__, wrong]))
"""


def python_with(version: str, *others: str) -> str:
    """Return the Python of an environment with that Qiskit and ``others``; made once."""
    place = ROOT / ".cache" / "qiskit" / (f"{version}-more" if others else version)
    python = place / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        if not Path(uv).exists():
            pytest.skip(f"no uv to install Qiskit {version} with")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(place)], check=True)
        asked = [f"qiskit~={version}.0", *others]
        done = subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *asked], check=False)
        if done.returncode:
            shutil.rmtree(place)
            pytest.skip(f"Qiskit {version} could not be installed")
    return str(python)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", [*VERSIONS, "ours"])
def test_vectors_and_circuits_at_random_hash_alike_in_every_version(version):
    python = sys.executable if version == "ours" else python_with(version)
    vectors = str(ROOT / "docs" / "formats" / "circuit-hash-vectors.json")
    program = PROGRAM.format(root=str(ROOT), tests=str(TESTS), vectors=vectors, seeds=SEEDS)
    env = {**os.environ, "PYTHONHASHSEED": str(len(version))}
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, env=env)
    found, wrong = json.loads(done.stdout)
    assert version == "ours" or found.startswith(version)
    assert wrong == []
