"""Where a run took place: interpreter, packages, system, threads and container.

Only the standard library is used: this runs in the kernel, beside the user's work.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PACKAGES_TYPE = "application/vnd.qsec.packages+json"
"""A package manifest: a JSON object of name to version, keys sorted, no spaces (RFC 8785)."""

FRAMEWORKS = (
    "qiskit",
    "qiskit-aer",
    "qiskit-ibm-runtime",
    "pennylane",
    "cirq-core",
    "amazon-braket-sdk",
    "numpy",
)
"""Packages whose versions stand in the record itself, readable without the manifest."""

THREADS = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS",
    "QISKIT_NUM_PROCS", "QISKIT_PARALLEL",
)  # fmt: skip
"""Variables that set how many threads do the work; results of a seeded simulator may depend on them."""

_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")
_CONTAINER_ID = re.compile(r"(?<![0-9a-f])([0-9a-f]{64})(?![0-9a-f])")
_LONGEST = 200


def environment() -> tuple[Json, bytes]:
    """Return the environment's entry in a run record, and the package manifest whose digest it holds.

    Cached until a folder of ``sys.path`` changes, as installing and removing a package does.
    """
    told, manifest = _environment(tuple((place, _changed(place)) for place in dict.fromkeys(sys.path)))
    return {**told, "threads": threads()}, manifest


def threads() -> Json:
    """Return the processors that this process may use and the variables of ``THREADS`` that are set."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"usable_cpus": usable, **{name: os.environ[name][:32] for name in THREADS if name in os.environ}}


def _changed(place: str) -> int:
    try:
        return os.stat(place or ".").st_mtime_ns  # noqa: PTH116  # on the sending path; pathlib is slower
    except OSError:
        return 0


@functools.lru_cache(maxsize=1)
def _environment(places: tuple[tuple[str, int], ...]) -> tuple[Json, bytes]:
    packages = installed([place for place, _ in places])
    manifest = json.dumps(packages, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "replace"
    )
    reference = {
        "sha256": hashlib.sha256(manifest).hexdigest(),
        "media_type": PACKAGES_TYPE,
        "bytes": len(manifest),
        "count": len(packages),
    }
    told = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "os": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "frameworks": {name: packages[name] for name in FRAMEWORKS if name in packages},
        "packages": reference,
        "container": container(),
    }
    return told, manifest


def installed(places: list[str]) -> dict[str, str]:
    """Return name and version of what is installed, from the names of ``.dist-info`` folders.

    Reading them is a hundred times faster than importlib.metadata; the names are normalised as the
    packaging standard for recorded projects says (``{name}-{version}.dist-info``).
    """
    found: dict[str, str] = {}
    for place in places:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208  # on the sending path
        except OSError:
            continue  # a zip, or a folder that is not there
        for name in names:
            if name.endswith(".dist-info"):
                project, _, version = name[: -len(".dist-info")].partition("-")
                found.setdefault(re.sub(r"[-_.]+", "-", project).lower(), version)
    return dict(sorted(found.items()))


def container() -> Json | None:
    """Return the container that this process runs in, as far as it can be told from inside.

    Returns:
        ``None`` outside a container; else ``image`` and ``digest`` where whoever started it says so
        (``JUPYTER_IMAGE_SPEC``, as JupyterHub on Kubernetes sets it), and the container's own ``id``.
    """
    image = os.environ.get("JUPYTER_IMAGE_SPEC") or os.environ.get("JUPYTER_IMAGE") or None
    inside = image or any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))
    if not inside and "KUBERNETES_SERVICE_HOST" not in os.environ:
        return None
    digest = _DIGEST.search(image or "")
    return {"image": image and image[:_LONGEST], "digest": digest and digest[1], "id": _container_id()}


def _container_id() -> str | None:
    for place in ("/proc/self/cgroup", "/proc/self/mountinfo"):  # cgroup v1 names it; v2 only by its mounts
        try:
            text = Path(place).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        lines = [
            line
            for line in text.splitlines()
            if "containers" in line or "docker" in line or "kubepods" in line
        ]
        found = _CONTAINER_ID.search("\n".join(lines))
        if found:
            return found[1]
    return None


def _cpu() -> str | None:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # may be long
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()[:_LONGEST]
    except OSError:
        pass  # another system than Linux
    return platform.processor()[:_LONGEST] or None
