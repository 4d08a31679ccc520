"""Credentials of the large clouds."""

from __future__ import annotations

import json
import string
from random import Random

from ..model import Client, Format
from ..randoms import BASE32, BASE62, BASE64, URLSAFE, b64, draw, guid, hexa, mixed, slug
from .keys import rsa_pem

AWS_KEY_ID = Client(
    product="AWS",
    variables=("access_key", "aws_access_key_id", "ACCESS_KEY", "key_id"),
    env=("AWS_ACCESS_KEY_ID",),
    keys=("aws_access_key_id", "AccessKeyId", "access_key"),
    calls=(
        "session = boto3.Session(aws_access_key_id={v}, aws_secret_access_key=get_secret(), region_name='us-west-1')",
        "s3 = boto3.client('s3', aws_access_key_id={v})",
    ),
    shells=("aws configure set aws_access_key_id {v}",),
    files=(("credentials", "[default]\naws_access_key_id = {v}\nregion = us-east-1\n"),),
    host="braket.us-east-1.amazonaws.com",
    logger="botocore.credentials",
)
AWS_SECRET = Client(
    product="AWS",
    variables=("secret_key", "aws_secret_access_key", "SECRET_KEY", "aws_secret"),
    env=("AWS_SECRET_ACCESS_KEY",),
    keys=("aws_secret_access_key", "SecretAccessKey", "secret_key"),
    calls=(
        "boto_session = boto3.Session(aws_access_key_id=key_id, aws_secret_access_key={v}, region_name='us-east-1')",
        "aws_session = AwsSession(boto_session=boto3.Session(aws_secret_access_key={v}))",
        "client = boto3.client('braket', aws_access_key_id=ident, aws_secret_access_key={v})",
        "fs = s3fs.S3FileSystem(key=key_id, secret={v})",
    ),
    shells=("aws configure set aws_secret_access_key {v}",),
    files=(("credentials", "[braket]\naws_secret_access_key = {v}\nregion = us-west-1\n"),),
    host="braket.us-west-1.amazonaws.com",
    logger="botocore.session",
)
AWS_SESSION = Client(
    product="AWS STS",
    variables=("session_token", "aws_session_token"),
    env=("AWS_SESSION_TOKEN",),
    keys=("aws_session_token", "SessionToken"),
    calls=("session = boto3.Session(aws_session_token={v})",),
    headers=("X-Amz-Security-Token: {v}",),
    files=(("credentials", "[sts]\naws_session_token = {v}\n"),),
    host="sts.amazonaws.com",
    logger="botocore.credentials",
)
_GOOGLE = Client(
    product="Google Cloud",
    variables=("api_key", "GOOGLE_KEY", "gmaps_key", "key"),
    env=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    keys=("api_key", "key"),
    calls=(
        "genai.configure(api_key={v})",
        "gmaps = googlemaps.Client(key={v})",
        "client = genai.Client(api_key={v})",
    ),
    headers=("x-goog-api-key: {v}",),
    shells=('curl "https://maps.googleapis.com/maps/api/geocode/json?address=Berlin&key={v}"',),
    host="maps.googleapis.com",
    logger="google.api_core",
)
_GOOGLE_OAUTH = Client(
    product="Google OAuth",
    variables=("client_secret", "CLIENT_SECRET"),
    env=("GOOGLE_CLIENT_SECRET",),
    keys=("client_secret",),
    calls=("flow = InstalledAppFlow.from_client_config({{'installed': {{'client_secret': {v}}}}}, scopes)",),
    host="oauth2.googleapis.com",
    logger="google.auth",
)
_GOOGLE_TOKEN = Client(
    product="Google OAuth",
    variables=("access_token", "creds_token"),
    env=("GOOGLE_OAUTH_ACCESS_TOKEN",),
    keys=("access_token", "token"),
    calls=("creds = google.oauth2.credentials.Credentials({v})",),
    headers=("Authorization: Bearer {v}",),
    host="www.googleapis.com",
    logger="google.auth.transport",
)
_SERVICE_ACCOUNT = Client(
    product="Google service account",
    variables=("service_account", "sa_info"),
    env=("GOOGLE_APPLICATION_CREDENTIALS_JSON",),
    keys=("credentials",),
    calls=("creds = service_account.Credentials.from_service_account_info(json.loads({v}))",),
)
_STORAGE = Client(
    product="Azure Storage",
    variables=("conn_str", "connection_string", "AZURE_STORAGE"),
    env=("AZURE_STORAGE_CONNECTION_STRING",),
    keys=("connection_string", "storageConnectionString"),
    calls=(
        "blob = BlobServiceClient.from_connection_string({v})",
        "table = TableServiceClient.from_connection_string(conn_str={v})",
    ),
    host="core.windows.net",
    logger="azure.storage.blob",
)
_STORAGE_KEY = Client(
    product="Azure Storage",
    variables=("account_key", "storage_key", "AZURE_KEY"),
    env=("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"),
    keys=("account_key", "storage_account_key"),
    calls=(
        "blob = BlobServiceClient(account_url=url, credential={v})",
        "fs = adlfs.AzureBlobFileSystem(account_name='labdata', account_key={v})",
        'spark.conf.set("fs.azure.account.key.labdata.dfs.core.windows.net", {v})',
    ),
    shells=("az storage blob list -c data --account-name labdata --account-key {v}",),
    host="core.windows.net",
    logger="azure.storage",
)
_ENTRA = Client(
    product="Azure Entra",
    variables=("client_secret", "sp_secret"),
    env=("AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET"),
    keys=("client_secret", "clientSecret"),
    calls=(
        "credential = ClientSecretCredential(tenant_id, client_id, {v})",
        "cred = ClientSecretCredential(tenant_id=tid, client_id=cid, client_secret={v})",
    ),
    shells=("az login --service-principal -u $APP -p {v} --tenant $TENANT",),
    host="login.microsoftonline.com",
    logger="azure.identity",
)
_SAS = Client(
    product="Azure Blob",
    variables=("sas_url", "blob_url", "data_url"),
    env=("AZURE_SAS_URL",),
    keys=("url", "sas_url"),
    calls=("df = pd.read_csv({v})", "blob = BlobClient.from_blob_url({v})"),
    host="blob.core.windows.net",
    logger="azure.storage",
)
_OCEAN = Client(
    product="DigitalOcean",
    variables=("do_token", "token"),
    env=("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"),
    calls=("manager = digitalocean.Manager(token={v})",),
    headers=("Authorization: Bearer {v}",),
    host="api.digitalocean.com",
    logger="digitalocean",
)


def access_key_id(rng: Random) -> str:
    """AKIA (lasting) or ASIA (temporary) and 16 base32 characters."""
    return rng.choice(["AKIA", "AKIA", "ASIA"]) + draw(rng, BASE32, 16)


def _storage_connection(rng: Random) -> str:
    name = slug(rng).replace("-", "")
    return (
        f"DefaultEndpointsProtocol=https;AccountName={name};AccountKey={b64(rng.randbytes(64))};"
        "EndpointSuffix=core.windows.net"
    )


def _service_bus(rng: Random) -> str:
    return (
        f"Endpoint=sb://{slug(rng)}.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;"
        f"SharedAccessKey={b64(rng.randbytes(32))}"
    )


def _sas(rng: Random) -> str:
    signature = b64(rng.randbytes(32)).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return (
        f"https://{slug(rng).replace('-', '')}.blob.core.windows.net/data/run.csv?sv=2023-11-03"
        f"&se=2027-01-01T00%3A00%3A00Z&sr=b&sp=r&sig={signature}"
    )


def _after(marker: str, end: str = ";"):  # type: ignore[no-untyped-def]
    return lambda value: value.split(marker)[1].split(end)[0]


def _account_json(rng: Random) -> str:
    project = slug(rng)
    return json.dumps(
        {
            "type": "service_account",
            "project_id": project,
            "private_key_id": hexa(rng, 40),
            "private_key": rsa_pem(rng, pkcs8=True),
            "client_email": f"runner@{project}.iam.gserviceaccount.com",
            "client_id": draw(rng, string.digits, 21),
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


def _account_key(value: str) -> str:
    body = json.loads(value)["private_key"].splitlines()[1:-1]
    return "\n".join(body)


FORMATS = (
    Format("AWS", "access key id", "structured", access_key_id, AWS_KEY_ID),
    Format("AWS", "secret access key", "opaque", lambda rng: mixed(rng, 40, BASE64), AWS_SECRET),
    Format(
        "AWS",
        "session token",
        "structured",
        lambda rng: "FwoGZXIvYXdzE" + b64(rng.randbytes(rng.randint(250, 450)))[1:],
        AWS_SESSION,
    ),
    Format("Google", "API key", "structured", lambda rng: "AIzaSy" + mixed(rng, 33, URLSAFE), _GOOGLE),
    Format(
        "Google",
        "OAuth client secret",
        "structured",
        lambda rng: "GOCSPX-" + mixed(rng, 28, URLSAFE),
        _GOOGLE_OAUTH,
    ),
    Format(
        "Google",
        "OAuth access token",
        "structured",
        lambda rng: "ya29.a0A" + mixed(rng, rng.randint(150, 210), URLSAFE),
        _GOOGLE_TOKEN,
    ),
    Format(
        "Google",
        "service account",
        "structured",
        _account_json,
        _SERVICE_ACCOUNT,
        _account_key,
        multiline=True,
    ),
    Format(
        "Azure",
        "storage connection string",
        "structured",
        _storage_connection,
        _STORAGE,
        _after("AccountKey="),
    ),
    Format(
        "Azure",
        "service bus connection string",
        "structured",
        _service_bus,
        _STORAGE,
        _after("SharedAccessKey="),
    ),
    Format("Azure", "storage key", "opaque", lambda rng: b64(rng.randbytes(64)), _STORAGE_KEY),
    Format(
        "Azure",
        "client secret",
        "structured",
        lambda rng: f"{mixed(rng, 3)}8Q~{mixed(rng, 34, BASE62 + '-_.~')}",
        _ENTRA,
    ),
    Format("Azure", "SAS URL", "structured", _sas, _SAS, _after("sig=", "&")),
    Format("DigitalOcean", "token", "structured", lambda rng: "dop_v1_" + hexa(rng, 64), _OCEAN),
)
__all__ = ["AWS_KEY_ID", "AWS_SECRET", "AWS_SESSION", "FORMATS", "access_key_id", "guid"]
