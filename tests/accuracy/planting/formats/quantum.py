"""Credentials of quantum vendors, as their clients' documentation names them."""

from __future__ import annotations

from base64 import b32encode
from random import Random

from ..model import Client, Format
from ..randoms import (
    BASE64,
    URLSAFE,
    b64,
    draw,
    guid,
    hexa,
    jwt,
    mixed,
    slug,
    subject_claims,
)
from .clouds import AWS_KEY_ID, AWS_SECRET, AWS_SESSION, access_key_id

_IBM = Client(
    product="IBM Quantum",
    variables=("token", "api_key", "IBM_TOKEN", "ibm_api_key", "my_token", "apikey", "ibm_schluessel"),
    env=("QISKIT_IBM_TOKEN", "IBMCLOUD_API_KEY", "IBM_QUANTUM_TOKEN", "QISKIT_IBM_RUNTIME_API_TOKEN"),
    keys=("token", "apikey", "api_key", "ibm_token"),
    calls=(
        'QiskitRuntimeService.save_account(channel="ibm_quantum_platform", token={v}, overwrite=True)',
        "service = QiskitRuntimeService(channel='ibm_cloud', token={v},\n"
        "                               instance='open-instance')",
        'service = QiskitRuntimeService(token={v}, channel="ibm_quantum_platform")',
        "QiskitRuntimeService.save_account({v}, channel='ibm_cloud', set_as_default=True)",
        "provider = IBMProvider(token={v})",
        "authenticator = IAMAuthenticator({v})",
        "authenticator = IAMAuthenticator(apikey={v})",
        'dev = qml.device("qiskit.remote", wires=4, backend=backend, ibmqx_token={v})',
    ),
    headers=("Authorization: apikey {v}",),
    shells=(
        "ibmcloud login --apikey {v} -r us-east",
        "curl -X POST 'https://iam.cloud.ibm.com/identity/token' "
        "-d 'grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={v}'",
    ),
    files=(
        (
            "qiskit-ibm.json",
            '{{\n    "default-ibm-quantum-platform": {{\n        "channel": "ibm_quantum_platform",\n'
            '        "private_endpoint": false,\n        "token": "{v}",\n'
            '        "url": "https://cloud.ibm.com"\n    }}\n}}\n',
        ),
        ("qiskit.toml", '[ibm]\nchannel = "ibm_cloud"\ntoken = "{v}"\n'),
    ),
    host="quantum.cloud.ibm.com",
    logger="qiskit_runtime_service",
)
_IBM_LEGACY = Client(
    product="IBMQ",
    variables=("IBMQ_TOKEN", "token", "APItoken", "MY_API_TOKEN", "qe_token"),
    env=("QE_TOKEN", "IBMQ_TOKEN", "IBMQ_API_TOKEN"),
    keys=("token", "APItoken", "ibmq_token"),
    calls=(
        "IBMQ.save_account({v}, overwrite=True)",
        "IBMQ.enable_account({v})",
        "provider = IBMQ.enable_account({v}, hub='ibm-q', group='open', project='main')",
        "IBMQ.save_account(token={v})",
        "register({v}, 'https://quantumexperience.ng.bluemix.net/api')",
    ),
    headers=("X-Access-Token: {v}",),
    files=(
        (
            "Qconfig.py",
            "APItoken = '{v}'\nconfig = {{'url': 'https://quantumexperience.ng.bluemix.net/api'}}\n",
        ),
        (
            "qiskitrc",
            "[ibmq]\ntoken = {v}\nurl = https://auth.quantum-computing.ibm.com/api\nverify = True\n",
        ),
    ),
    host="auth.quantum-computing.ibm.com",
    logger="ibmq.api",
)
_IBM_IAM = Client(
    product="IBM Cloud IAM",
    variables=("access_token", "bearer", "iam_token", "bearer_token"),
    env=("IAM_TOKEN", "IBM_ACCESS_TOKEN"),
    keys=("access_token", "iam_token"),
    calls=('headers = {{"Authorization": "Bearer " + {v}, "Service-CRN": crn}}',),
    headers=("Authorization: Bearer {v}",),
    host="iam.cloud.ibm.com",
    logger="ibm_cloud_sdk_core",
)
_IBM_REFRESH = Client(
    product="IBM Cloud IAM",
    variables=("refresh_token", "iam_refresh_token"),
    env=("IAM_REFRESH_TOKEN",),
    keys=("refresh_token",),
    calls=('data = {{"grant_type": "refresh_token", "refresh_token": {v}}}',),
    host="iam.cloud.ibm.com",
    logger="ibm_cloud_sdk_core",
)
_AZURE = Client(
    product="Azure Quantum",
    variables=("connection_string", "conn_str", "AZURE_QUANTUM", "verbindung"),
    env=("AZURE_QUANTUM_CONNECTION_STRING",),
    keys=("connection_string", "connectionString"),
    calls=(
        "workspace = Workspace.from_connection_string({v})",
        "provider = AzureQuantumProvider(workspace=Workspace.from_connection_string({v}))",
        "service = AzureQuantumService(connection_string={v})",
    ),
    host="eastus.quantum.azure.com",
    logger="azure.quantum",
)
_AZURE_KEY = Client(
    product="Azure Quantum",
    variables=("api_key", "quantum_key", "workspace_key"),
    env=("AZURE_QUANTUM_API_KEY",),
    keys=("x-ms-quantum-api-key", "api_key", "primary_key"),
    calls=(
        "workspace = Workspace(resource_id=resource_id, location='westus', credential=AzureKeyCredential({v}))",
        'headers = {{"x-ms-quantum-api-key": {v}}}',
    ),
    headers=("x-ms-quantum-api-key: {v}",),
    host="westus.quantum.azure.com",
    logger="azure.quantum",
)
_DWAVE = Client(
    product="D-Wave Leap",
    variables=("token", "dwave_token", "DWAVE_TOKEN", "leap_token"),
    env=("DWAVE_API_TOKEN",),
    keys=("token",),
    calls=(
        "sampler = EmbeddingComposite(DWaveSampler(token={v}))",
        "sampler = LeapHybridSampler(token={v})",
        "client = Client.from_config(token={v}, solver='Advantage_system6.4')",
        "with Client(endpoint='https://cloud.dwavesys.com/sapi', token={v}) as client:\n    solvers = client.get_solvers()",
    ),
    headers=("X-Auth-Token: {v}",),
    shells=("dwave config create --token {v}", "dwave ping --client qpu --token {v}"),
    files=(
        ("dwave.conf", "[defaults]\nendpoint = https://cloud.dwavesys.com/sapi\ntoken = {v}\nclient = qpu\n"),
    ),
    host="cloud.dwavesys.com",
    logger="dwave.cloud.client.base",
)
_IONQ = Client(
    product="IonQ",
    variables=("ionq_key", "api_key", "IONQ_KEY", "token", "ionq_token"),
    env=("IONQ_API_KEY", "IONQ_API_TOKEN", "QISKIT_IONQ_API_TOKEN"),
    keys=("api_key", "ionq_api_key", "token"),
    calls=(
        "provider = IonQProvider({v})",
        "provider = IonQProvider(token={v})",
        'service = cirq_ionq.Service(api_key={v}, default_target="qpu")',
        'dev = qml.device("ionq.qpu", wires=2, shots=1000, api_key={v})',
        "service = ionq.Service(api_key={v})",
    ),
    headers=("Authorization: apiKey {v}",),
    shells=('curl -H "Authorization: apiKey {v}" https://api.ionq.co/v0.3/jobs',),
    host="api.ionq.co",
    logger="qiskit_ionq.ionq_client",
)
_NEXUS = Client(
    product="Quantinuum Nexus",
    variables=("myqos_id", "myqos_oat", "nexus_cookie"),
    env=("NEXUS_TOKEN",),
    keys=("myqos_id", "myqos_oat"),
    calls=(
        "client = httpx.Client(base_url='https://nexus.quantinuum.com', cookies={{'myqos_oat': {v}}})",
        "session.cookies.set('myqos_id', {v}, domain='nexus.quantinuum.com')",
    ),
    headers=("Cookie: myqos_oat={v}", "Set-Cookie: myqos_id={v}; Path=/; HttpOnly; Secure"),
    host="nexus.quantinuum.com",
    logger="qnexus.client",
)
_CUDAQ = Client(
    product="Quantinuum",
    variables=("refresh", "hqs_key"),
    env=("CUDAQ_QUANTINUUM_KEY", "HQS_REFRESH_TOKEN"),
    keys=("key", "refresh"),
    calls=("cudaq.set_target('quantinuum', machine='H1-1SC', refresh_token={v})",),
    files=((".quantinuum_config", "key: {v}\nrefresh: \ntime: 1700000000\n"),),
    shells=("echo 'key: {v}' > $HOME/.quantinuum_config",),
    host="qapi.quantinuum.com",
    logger="cudaq.quantinuum",
)
_RIGETTI = Client(
    product="Rigetti QCS",
    variables=("refresh_token", "qcs_token", "access_token"),
    env=("QCS_REFRESH_TOKEN", "QCS_SETTINGS_REFRESH_TOKEN"),
    keys=("refresh_token", "access_token", "id_token"),
    calls=(
        "session = OAuthSession(RefreshToken({v}), AuthServer.default())",
        "tokens = TokenPayload(refresh_token={v}, access_token=None)",
    ),
    files=(
        (
            "secrets.toml",
            '[credentials.default.token_payload]\nrefresh_token = "{v}"\nscope = "offline_access openid"\n'
            'expires_in = 86400\ntoken_type = "Bearer"\n',
        ),
    ),
    host="api.qcs.rigetti.com",
    logger="qcs_api_client",
)
_QBRAID = Client(
    product="qBraid",
    variables=("qbraid_key", "api_key", "QBRAID_KEY"),
    env=("QBRAID_API_KEY",),
    keys=("api-key", "api_key"),
    calls=(
        "provider = QbraidProvider(api_key={v})",
        "session = QbraidSession(api_key={v})",
        "qbraid_core.QbraidClient(api_key={v})",
    ),
    headers=("api-key: {v}", "X-API-KEY: {v}"),
    shells=("qbraid configure set api-key {v}",),
    files=(("qbraidrc", "[default]\nurl = https://api.qbraid.com/api\napi-key = {v}\n"),),
    host="api.qbraid.com",
    logger="qbraid_core.sessions",
)
_XANADU = Client(
    product="Xanadu Cloud",
    variables=("refresh_token", "xanadu_key", "sf_token", "api_key"),
    env=("XANADU_CLOUD_REFRESH_TOKEN", "SF_API_AUTHENTICATION_TOKEN"),
    keys=("refresh_token", "authentication_token"),
    calls=(
        "settings = xcc.Settings(REFRESH_TOKEN={v})",
        "connection = xcc.Connection(refresh_token={v})",
        "sf.store_account({v})",
    ),
    shells=('xcc config set REFRESH_TOKEN "{v}"',),
    files=(
        ("config.toml", '[api]\nauthentication_token = "{v}"\nhostname = "platform.strawberryfields.ai"\n'),
    ),
    host="platform.xanadu.ai",
    logger="xcc.connection",
)
_IQM = Client(
    product="IQM Resonance",
    variables=("iqm_token", "IQM_TOKEN", "token", "resonance_token"),
    env=("IQM_TOKEN",),
    keys=("token", "access_token"),
    calls=(
        "provider = IQMProvider('https://cocos.resonance.meetiqm.com/garnet', token={v})",
        "client = IQMClient(url, token={v})",
        "sampler = IQMSampler('https://resonance.meetiqm.com/garnet', token={v})",
    ),
    headers=("Authorization: Bearer {v}",),
    files=(
        (
            "tokens.json",
            '{{"pid": 4711, "timestamp": "2025-04-02T08:00:00", "access_token": "{v}",\n'
            ' "auth_server_url": "https://auth.iqm.example"}}\n',
        ),
    ),
    host="resonance.meetiqm.com",
    logger="iqm.iqm_client",
)


def _client(product: str, env: tuple[str, ...], calls: tuple[str, ...], host: str) -> Client:
    short = product.split(maxsplit=1)[0].lower()
    return Client(
        product=product,
        variables=(f"{short}_token", "token", "api_key", f"{short.upper()}_KEY"),
        env=env,
        calls=calls,
        headers=("Authorization: Bearer {v}",),
        host=host,
        logger=f"{short}.client",
    )


_AQT = _client(
    "AQT Arnica",
    ("AQT_TOKEN",),
    ("provider = AQTProvider({v})", "provider = AQTProvider(access_token={v})"),
    "arnica.aqt.eu",
)
_OQC = _client(
    "OQC Cloud",
    ("OQC_TOKEN", "QCAAS_AUTH_TOKEN"),
    ("client = OQCClient(url=url, authentication_token={v})",),
    "cloud.oqc.app",
)
_QUANDELA = _client(
    "Quandela Cloud",
    ("PCVL_CLOUD_TOKEN",),
    (
        'proc = pcvl.RemoteProcessor("qpu:belenos", {v})',
        "pcvl.RemoteConfig.set_token({v})",
        "pcvl.save_token({v})",
    ),
    "api.cloud.quandela.com",
)
_ALICE = _client(
    "Alice Bob Felis",
    ("ALICE_BOB_API_KEY",),
    ("provider = AliceBobRemoteProvider({v})", "provider = AliceBobRemoteProvider(api_key={v})"),
    "api.alice-bob.com",
)
_BLUEQUBIT = _client("BlueQubit", ("BLUEQUBIT_API_TOKEN",), ("bq = bluequbit.init({v})",), "app.bluequbit.io")
_SUPERSTAQ = _client(
    "Infleqtion Superstaq",
    ("SUPERSTAQ_API_KEY",),
    ("service = css.Service({v})", "provider = qss.SuperstaqProvider(api_key={v})"),
    "superstaq.infleqtion.com",
)
_PASQAL = Client(
    product="Pasqal Cloud",
    variables=("password", "pasqal_pw", "client_secret"),
    env=("PASQAL_PASSWORD",),
    keys=("password", "client_secret"),
    calls=(
        'sdk = SDK(username="nina@lab.example", password={v}, project_id=project_id)',
        "connection = PasqalCloud(username=user, password={v}, project_id=pid)",
        "sdk = SDK(client_id=client_id, client_secret={v})",
    ),
    host="apis.pasqal.cloud",
    logger="pasqal_cloud.client",
)
_INSPIRE = _client(
    "QuTech Quantum Inspire",
    ("QI_TOKEN",),
    ("auth = get_token_authentication({v})", "QI.set_authentication(TokenAuthentication({v}))"),
    "api.quantum-inspire.com",
)
_QCTRL = _client(
    "Q-CTRL",
    ("QCTRL_API_KEY",),
    ("bo.authenticate_qctrl_account(api_key={v})", "fo.authenticate_qctrl_account(api_key={v})"),
    "api.q-ctrl.com",
)


def _azure_connection(rng: Random) -> str:
    region = rng.choice(["eastus", "westus", "westeurope", "northeurope"])
    return (
        f"SubscriptionId={guid(rng)};ResourceGroupName={slug(rng)};WorkspaceName={slug(rng)};"
        f"ApiKey={mixed(rng, 86, BASE64[:62])};QuantumEndpoint=https://{region}.quantum.azure.com/;"
    )


def _azure_api_key(value: str) -> str:
    return value.split("ApiKey=")[1].split(";", maxsplit=1)[0]


def _opaque(length: int, alphabet: str = URLSAFE):  # type: ignore[no-untyped-def]
    return lambda rng: mixed(rng, length, alphabet)


def _token(issuer: str, algorithm: str = "RS256"):  # type: ignore[no-untyped-def]
    return lambda rng: jwt(rng, subject_claims(rng, issuer), algorithm, kid=True)


def _qbraid(rng: Random) -> str:
    name = draw(rng, "abcdefghijklmnopqrstuvwxyz0123456789", rng.randint(5, 10))
    host = rng.choice(["api.qbraid.com", "account.qbraid.com", f"{slug(rng)}.qbraid.com"])
    return f"{name}_{b32encode(host.encode()).decode().rstrip('=').lower()}.{hexa(rng, 64)}"


FORMATS = (
    Format("IBM", "Cloud API key", "opaque", _opaque(44), _IBM),
    Format("IBM", "legacy token", "opaque", lambda rng: hexa(rng, 128), _IBM_LEGACY),
    Format("IBM", "IAM access token", "structured", _token("https://iam.cloud.ibm.com/identity"), _IBM_IAM),
    Format(
        "IBM",
        "IAM refresh token",
        "opaque",
        lambda rng: b64(rng.randbytes(rng.choice([128, 191, 320]))),
        _IBM_REFRESH,
    ),
    Format("Azure Quantum", "connection string", "structured", _azure_connection, _AZURE, _azure_api_key),
    Format("Azure Quantum", "workspace key", "opaque", lambda rng: mixed(rng, 86, BASE64[:62]), _AZURE_KEY),
    Format("D-Wave", "token", "structured", lambda rng: "DEV-" + hexa(rng, 40), _DWAVE),
    Format("IonQ", "API key", "opaque", lambda rng: mixed(rng, 32), _IONQ),
    Format("Quantinuum", "Nexus cookie", "opaque", _opaque(64), _NEXUS),
    Format(
        "Quantinuum",
        "Nexus token cookie",
        "structured",
        _token("https://nexus.quantinuum.com", "ES256"),
        _NEXUS,
    ),
    Format("Quantinuum", "CUDA-Q key", "opaque", _opaque(52), _CUDAQ),
    Format("Rigetti", "refresh token", "opaque", _opaque(43), _RIGETTI),
    Format(
        "Rigetti",
        "access token",
        "structured",
        _token("https://auth.qcs.rigetti.com/oauth2/default"),
        _RIGETTI,
    ),
    Format("qBraid", "API key", "structured", _qbraid, _QBRAID),
    Format(
        "Xanadu",
        "refresh token",
        "structured",
        _token("https://platform.xanadu.ai/auth/realms/platform", "HS256"),
        _XANADU,
    ),
    Format("IQM", "token", "opaque", _opaque(64), _IQM),
    Format("Braket", "access key id", "structured", access_key_id, AWS_KEY_ID),
    Format("Braket", "secret access key", "opaque", lambda rng: mixed(rng, 40, BASE64), AWS_SECRET),
    Format(
        "Braket",
        "session token",
        "structured",
        lambda rng: "IQoJb3JpZ2luX2Vj" + b64(rng.randbytes(rng.randint(250, 500))),
        AWS_SESSION,
    ),
    Format("AQT", "token", "opaque", _opaque(40), _AQT),
    Format("OQC", "token", "opaque", _opaque(36), _OQC),
    Format("Quandela", "token", "opaque", _opaque(60), _QUANDELA),
    Format("Alice & Bob", "API key", "opaque", _opaque(40), _ALICE),
    Format("BlueQubit", "token", "opaque", lambda rng: mixed(rng, 32), _BLUEQUBIT),
    Format("Superstaq", "API key", "opaque", lambda rng: mixed(rng, 40), _SUPERSTAQ),
    Format("Pasqal", "password", "opaque", lambda rng: mixed(rng, 20), _PASQAL),
    Format("Quantum Inspire", "token", "opaque", lambda rng: hexa(rng, 40), _INSPIRE),
    Format("Q-CTRL", "API key", "opaque", _opaque(43), _QCTRL),
)
