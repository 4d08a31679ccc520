"""What the product itself shows in a notebook is no secret: every card and text of it passes a save unchanged."""

from __future__ import annotations

import hashlib
import random
import string
import uuid

import pytest

from qsec_jupyter.control.gateway.payload import opaque
from qsec_jupyter.core.model import Grant, Target
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel.cards import (
    Grants,
    Run,
    Status,
    Targets,
    credential_card,
    grant_card,
    grant_text,
)
from qsec_jupyter.kernel.credential import Credential
from qsec_jupyter.kernel.exposure import Exposure
from qsec_jupyter.kernel.health import Check
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.ruleset import load_rules
from qsec_jupyter.scan.scanner import Scanner

NAMES = ("sandbox-key", "ibm-pilot-token", "db-password", "api_secret", "lab credentials", "jwt", "pilot")
"""Targets may be called what credentials are called."""

_SOURCE = random.Random(20261130)
_MOMENT = "2026-11-29T01:42:39.123Z"


def _hex(length):
    return "".join(_SOURCE.choices("0123456789abcdef", k=length))


def _word(length):
    return "".join(_SOURCE.choices(string.ascii_letters + string.digits, k=length))


def _grant(target, state="active"):
    return Grant(
        _hex(32),
        target,
        state,
        "nina",
        str(uuid.UUID(int=_SOURCE.getrandbits(128))),
        f"Calibrate {target} once more",
        "QSEC-1234",
        3600,
        _MOMENT,
        decided_by="omar",
        decision_comment=f"the {target} is yours until 2026-11-30",
        expires_at="2026-11-30T01:42:39.123Z",
        policies=("developer.request", f"target.{target}"),
    )


def _credential(target):
    return Credential(
        Secret(_word(44), target),
        grant_id=_hex(32),
        expires_at=_MOMENT,
        tier="deliver",
        revocability="The value stays good until it is rotated.",
        source="vault:kv-v2",
    )


def _status(target):
    told = {
        "principal": {"display_name": "nina", "identity_provider": "hub"},
        "vault": {"label": "OpenBao 2.4.1 at https://vault.example.net:8200"},
        "health": {
            "status": "ok",
            "checks": [
                {"name": f"Key of {target}", "ok": True, "detail": f"version 3 since {_MOMENT}"},
                {"name": "Ledger", "ok": True, "detail": f"checkpoint {_hex(64)}"},
            ],
        },
    }
    return Status(told, [Check("Redaction", True, "12 secrets known")], None)


def _run(target):
    commit, circuit, result = _hex(40), hashlib.sha256(b"c").hexdigest(), _hex(64)
    summary = {
        "run_id": str(uuid.UUID(int=_SOURCE.getrandbits(128))),
        "operation": "SamplerV2.run",
        "backend": "ibm_torino",
        "circuits": 3,
        "shots": 4096,
        "status": "completed",
        "started_at": _MOMENT,
        "ended_at": "2026-11-29T01:43:00.001Z",
        "notebook": f"notes/{target}.ipynb",
        "signed_by": f"vault:transit/qsec-signing:v1 sha256:{_hex(64)}",
        "grant_id": _hex(32),
        "gaps": [f"the key of {target} was not asked for"],
    }
    run = {
        "execution": {"circuits": [{"structural_hash": {"value": circuit}}]},
        "source": {"git": {"commit": commit, "dirty": True}},
    }
    return Run(
        {
            "summary": summary,
            "intent": {"predicate": {"run": run}},
            "completion": {"predicate": {"run": {"result": {"sha256": result}}}},
            "envelopes": {"intent": _hex(64), "completion": _hex(64)},
            "ledger": {"intent": 12, "completion": 13},
            "children": [],
            "citation": {"text": f"Run {_hex(12)}, {target}, sha256:{_hex(64)}, 2026-11-29"},
        }
    )


def _opaque():
    return opaque(_SOURCE.randbytes(32), "n", _word(8))


def _exposure(target):
    fields = [
        {"name": "circuit name", "original": f"{target}-ansatz", "sent": _opaque(), "why": ""},
        {"name": "parameter", "original": f"{target}", "sent": _opaque(), "why": ""},
        {"name": "job tag", "original": "key", "sent": f"t-{_hex(16)}", "why": ""},
        {"name": "backend", "original": "ibm_torino", "sent": "ibm_torino", "why": "needed to run it"},
    ]
    return Exposure(f"{target}, job d{_word(19).lower()}", fields)


def _target(target):
    return Target(
        target, f"Key for {target}", "ibm", "proxy", "auto", 3600, 600, None, False, "It ends with the grant."
    )


SHOWN = {
    "grant": lambda target: (grant_card(_grant(target)), grant_text(_grant(target))),
    "credential": lambda target: (credential_card(_credential(target)), str(_credential(target))),
    "status": lambda target: (_status(target)._repr_html_(), repr(_status(target))),
    "provenance": lambda target: (_run(target)._repr_html_(), repr(_run(target))),
    "exposure": lambda target: (_exposure(target)._repr_html_(), repr(_exposure(target))),
    "grants": lambda target: (
        Grants([_grant(target), _grant(target, "pending")])._repr_html_(),
        "\n".join([grant_text(_grant(target)), grant_text(_grant(target))]),
    ),
    "targets": lambda target: (Targets([_target(target), _target("other")])._repr_html_(), "targets"),
}


@pytest.fixture(scope="module")
def scanner(tmp_path_factory):
    kept = Baseline(tmp_path_factory.mktemp("cards") / "kept.json")
    return Scanner(KnownValues(), kept, b"k" * 32, load_rules())


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("card", SHOWN)
@pytest.mark.parametrize("turn", range(5))
def test_what_the_product_shows_is_no_finding(scanner, card, target, turn):
    page, plain = SHOWN[card](target)
    outputs = [
        {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": {"text/html": page.splitlines(True), "text/plain": plain.splitlines(True)},
        },
        {"output_type": "stream", "name": "stdout", "text": plain},
    ]
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": 1, "outputs": outputs}
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**cell, "source": "show"}]}
    result = scanner.scan_notebook(document, "a.ipynb")
    assert [(one.rule, one.line, one.column) for one in result.findings] == []
    assert result.redacted is None
