"""The packages that were installed when a run began, as a CycloneDX 1.6 bill of materials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from .facts import facts


def cyclonedx(run: dict[str, Any], packages: Mapping[str, str], sha256: str) -> bytes:
    """Return the bill of materials.

    Args:
        run: The run, as the index of runs answers it.
        packages: Its package manifest, from evidence.
        sha256: The manifest's digest, as the signed statement names it.
    """
    told = facts(run)
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"https://qsec-jupyter.dev/run/{told.run_id}"))
    bom.metadata.component = Component(
        name=f"quantum run {told.run_id}", type=ComponentType.APPLICATION, bom_ref=f"run-{told.run_id}"
    )
    intent = run["envelopes"]["intent"]
    bom.metadata.properties.update(
        [
            Property(name="qsec:packages:sha256", value=sha256),
            Property(name="qsec:intent:sha256", value=intent),
        ]
    )
    for name, version in packages.items():
        bom.components.add(
            Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                purl=PackageURL("pypi", name=name, version=version),
                bom_ref=f"{name}@{version}",
            )
        )
    # A manifest lists what was there, not what needs what: all of it stands directly under the run.
    bom.register_dependency(bom.metadata.component, bom.components)
    text: str = JsonV1Dot6(bom).output_as_string(indent=1)
    return text.encode()
