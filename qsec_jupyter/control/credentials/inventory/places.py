"""Where the vendors' own clients leave credentials, as their documentation and sources say."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or files, that a client writes.

    Attributes:
        pattern: Glob below the home folder.
        form: How it is read: ``json``, ``ini``, ``toml``, ``lines`` (``name: value``) or ``raw``.
        secret: Which names hold secrets; matched against the last part of the dotted name.
    """

    vendor: str
    pattern: str
    form: str
    secret: re.Pattern[str]


def _names(*names: str) -> re.Pattern[str]:
    return re.compile("|".join(names), re.IGNORECASE)


_TOKENS = _names("access_token", "refresh_token", "id_token")
_ANY = re.compile("")

PLACES: tuple[Place, ...] = (
    Place("ibm", ".qiskit/qiskit-ibm.json", "json", _names("token")),
    Place("ibm", ".qiskit/qiskitrc", "ini", _names("token")),
    Place("ibm", ".bluemix/config.json", "json", _names("IAMToken", "IAMRefreshToken", "UAAToken")),
    Place("dwave", ".config/dwave/dwave.conf", "ini", _names("token")),
    Place("dwave", "Library/Application Support/dwave/dwave.conf", "ini", _names("token")),
    Place("rigetti", ".qcs/secrets.toml", "toml", _TOKENS),
    Place("qbraid", ".qbraid/qbraidrc", "ini", _names("api-key", "refresh-token", "id-token")),
    Place("quantinuum", ".qnx/auth/*", "raw", _ANY),
    Place("quantinuum", ".quantinuum_config", "lines", _names("key", "refresh")),
    Place(
        "pytket",
        ".config/pytket/config.json",
        "json",
        _names("token", "api_key", "password", "refresh_token"),
    ),
    Place("iqm", ".config/iqm-client-cli/tokens.json", "json", _TOKENS),
    Place("iqm", ".cache/iqm-client-cli/tokens.json", "json", _TOKENS),
    Place(
        "xanadu",
        ".config/xanadu-cloud/config.toml",
        "toml",
        _names("refresh_token", "access_token", "api_key"),
    ),
    Place("xanadu", ".config/xanadu-cloud/.env", "env", _names("XANADU_CLOUD_(REFRESH|ACCESS)_TOKEN")),
    Place(
        "xanadu",
        ".config/strawberryfields/config.toml",
        "toml",
        _names("authentication_token", "refresh_token"),
    ),
    Place("pasqal", ".config/pasqal-cloud/*.json", "json", _names("password", "token", "access_token")),
    Place("aws", ".aws/credentials", "ini", _names("aws_secret_access_key", "aws_session_token")),
    Place("azure", ".azure/accessTokens.json", "json", _names("accessToken", "refreshToken")),
    Place("azure", ".azure/msal_token_cache.json", "json", _names("secret")),
    Place(
        "google",
        ".config/gcloud/application_default_credentials.json",
        "json",
        _names("refresh_token", "private_key"),
    ),
)

VARIABLES: dict[str, str] = {
    "QISKIT_IBM_TOKEN": "ibm",
    "IBM_CLOUD_API_KEY": "ibm",
    "IBMCLOUD_API_KEY": "ibm",
    "IBM_QUANTUM_TOKEN": "ibm",
    "QE_TOKEN": "ibm",
    "DWAVE_API_TOKEN": "dwave",
    "DW_INTERNAL__TOKEN": "dwave",
    "IONQ_API_KEY": "ionq",
    "IONQ_API_TOKEN": "ionq",
    "QISKIT_IONQ_API_TOKEN": "ionq",
    "QBRAID_API_KEY": "qbraid",
    "IQM_TOKEN": "iqm",
    "IQM_AUTH_PASSWORD": "iqm",
    "XANADU_CLOUD_REFRESH_TOKEN": "xanadu",
    "SF_API_AUTHENTICATION_TOKEN": "xanadu",
    "AZURE_QUANTUM_CONNECTION_STRING": "azure",
    "AZURE_CLIENT_SECRET": "azure",
    "AWS_SECRET_ACCESS_KEY": "aws",
    "AWS_SESSION_TOKEN": "aws",
    "QCS_SETTINGS_APPLICATIONS_REFRESH_TOKEN": "rigetti",
    "QUANTINUUM_PASSWORD": "quantinuum",
    "OQC_AUTH_TOKEN": "oqc",
    "OQC_PASSWORD": "oqc",
    "ALPINE_QUANTUM_TECHNOLOGIES_TOKEN": "aqt",
    "AQT_TOKEN": "aqt",
    "PASQAL_PASSWORD": "pasqal",
    "QUANDELA_TOKEN": "quandela",
    "PCVL_CLOUD_TOKEN": "quandela",
    "QI_API_KEY": "quantum-inspire",
    "SUPERSTAQ_API_KEY": "infleqtion",
    "BLUEQUBIT_API_TOKEN": "bluequbit",
    "QUERA_API_KEY": "quera",
    "ORIGINQC_API_KEY": "origin",
    "CLASSIQ_REFRESH_TOKEN": "classiq",
}
"""Variables that clients read credentials from, and whose they are."""
