"""Passwords, connection strings and headers of no particular vendor."""

from __future__ import annotations

from random import Random

from ..model import Client, Format
from ..randoms import BASE62, b64, guid, mailbox, mixed, password, slug

_PASSWORD = Client(
    product="database",
    variables=("password", "db_password", "PASSWORD", "passwd", "pwd", "passwort", "DB_PASS", "kennwort"),
    env=("DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD", "SMTP_PASSWORD", "POSTGRES_PASSWORD"),
    keys=("password", "passwd", "db_password", "pwd"),
    calls=(
        "conn = psycopg2.connect(host='db.lab.example', user='runner', password={v}, dbname='runs')",
        "conn = pymysql.connect(host=host, user='root', passwd={v})",
        "server.login('nina@lab.example', {v})",
        "engine = create_engine(URL.create('postgresql', username='runner', password={v}, host=host))",
        "r = requests.get(url, auth=('runner', {v}))",
        "ssh.connect('login.cluster.example', username='nina', password={v})",
        "client = MongoClient(host, username='lab', password={v})",
    ),
    shells=(
        "mysql -h db.lab.example -u root -p{v} runs",
        "sshpass -p '{v}' ssh nina@login.cluster.example",
        "curl -u nina:{v} https://data.lab.example/runs",
    ),
    files=(
        ("database.ini", "[postgresql]\nhost=db.lab.example\nuser=runner\npassword={v}\n"),
        (".netrc", "machine data.lab.example\nlogin nina\npassword {v}\n"),
    ),
    host="db.lab.example",
    logger="sqlalchemy.engine",
)
_DATABASE = Client(
    product="PostgreSQL",
    variables=("db_url", "DATABASE_URL", "engine_url", "uri", "dsn"),
    env=("DATABASE_URL", "MONGO_URI", "REDIS_URL", "SQLALCHEMY_DATABASE_URI"),
    keys=("url", "database_url", "dsn", "uri"),
    calls=(
        "engine = create_engine({v})",
        "client = MongoClient({v})",
        "df = pd.read_sql(query, {v})",
        "r = redis.from_url({v})",
    ),
    shells=("psql {v} -c 'select 1'", "pg_dump {v} > runs.sql"),
    host="db.lab.example",
    logger="sqlalchemy.pool",
)
_ODBC = Client(
    product="SQL Server",
    variables=("conn_str", "connection_string", "odbc", "dsn"),
    env=("SQL_CONNECTION_STRING", "ODBC_DSN"),
    keys=("connection_string", "odbc_connect", "dsn"),
    calls=(
        "conn = pyodbc.connect({v})",
        "engine = create_engine('mssql+pyodbc:///?odbc_connect=' + quote_plus({v}))",
    ),
    host="sql.lab.example",
    logger="sqlalchemy.pool",
)
_PROXY = Client(
    product="web",
    variables=("url", "proxy", "base_url", "repo"),
    env=("HTTPS_PROXY", "PIP_INDEX_URL", "DATA_URL"),
    keys=("url", "proxy", "https"),
    calls=("proxies = {{'https': {v}}}", "r = requests.get({v})"),
    shells=("git clone {v}", "wget {v}", "pip install --index-url {v} labtools"),
    host="data.lab.example",
    logger="urllib3.connectionpool",
)
_BASIC = Client(
    product="web",
    variables=("auth", "basic_auth", "authorization"),
    env=("BASIC_AUTH",),
    keys=("Authorization", "authorization"),
    calls=(
        "headers = {{'Authorization': {v}}}",
        "session.headers['Authorization'] = {v}",
        "session.headers.update({{'Authorization': {v}}})",
    ),
    headers=("Authorization: {v}",),
    shells=("curl -H 'Authorization: {v}' https://data.lab.example/runs",),
    host="data.lab.example",
    logger="http.client",
)
_SECRET = Client(
    product="application",
    variables=(
        "SECRET_KEY",
        "secret",
        "api_secret",
        "signing_key",
        "client_secret",
        "geheimnis",
        "API_KEY",
        "auth_token",
    ),
    env=("SECRET_KEY", "API_SECRET", "CLIENT_SECRET", "JWT_SECRET", "SERVICE_API_KEY"),
    keys=("secret", "secret_key", "client_secret", "api_secret", "apiKey"),
    calls=(
        "app.config['SECRET_KEY'] = {v}",
        "oauth = OAuth2Session(client_id, client_secret={v})",
        "client = DataClient(api_key={v}, base_url='https://data.lab.example')",
        "payload = jwt.encode(claims, key={v}, algorithm='HS256')",
    ),
    headers=("X-Api-Key: {v}", "Authorization: Bearer {v}", "X-Auth-Token: {v}"),
    shells=("curl 'https://data.lab.example/v1/runs?api_key={v}'",),
    files=(("settings.yaml", "service:\n  url: https://data.lab.example\n  api_key: {v}\n"),),
    host="data.lab.example",
    logger="app.auth",
)


def _url(rng: Random) -> str:
    scheme, port, tail = rng.choice(
        [
            ("postgresql", ":5432", "/runs"),
            ("postgresql+psycopg2", "", "/runs?sslmode=require"),
            ("mysql+pymysql", ":3306", "/lab"),
            ("mongodb+srv", "", "/?retryWrites=true&w=majority"),
            ("redis", ":6379", "/0"),
            ("amqp", ":5672", "/vhost"),
        ]
    )
    user = (
        ""
        if scheme == "redis" and rng.random() < 0.6
        else rng.choice(["admin", "runner", "lab_user", "nina"])
    )
    return f"{scheme}://{user}:{password(rng, url=True)}@{slug(rng)}.lab.example{port}{tail}"


def _web(rng: Random) -> str:
    return f"{rng.choice(['https', 'https', 'http', 'ftp'])}://{rng.choice(['nina', 'deploy', 'lab'])}:{password(rng, url=True)}@{slug(rng)}.lab.example/{slug(rng)}"


def _userinfo(value: str) -> str:
    return value.split("://", 1)[1].rsplit("@", 1)[0].split(":", 1)[1]


def _odbc(rng: Random) -> str:
    return f"Driver={{ODBC Driver 18 for SQL Server}};Server=tcp:{slug(rng)}.lab.example,1433;Database=runs;Uid=runner;Pwd={password(rng).replace(';', '')};Encrypt=yes;"


def _basic(rng: Random) -> str:
    return "Basic " + b64(f"{mailbox(rng)}:{password(rng)}".encode())


FORMATS = (
    Format("generic", "password", "opaque", password, _PASSWORD),
    Format("generic", "database URL", "opaque", _url, _DATABASE, _userinfo),
    Format("generic", "URL with password", "opaque", _web, _PROXY, _userinfo),
    Format(
        "generic",
        "ODBC connection string",
        "opaque",
        _odbc,
        _ODBC,
        lambda value: value.split("Pwd=")[1].split(";")[0],
    ),
    Format(
        "generic", "Basic authorization", "opaque", _basic, _BASIC, lambda value: value.removeprefix("Basic ")
    ),
    Format(
        "generic",
        "named secret",
        "opaque",
        lambda rng: mixed(rng, rng.choice([24, 32, 40, 48, 64]), BASE62 + "-_"),
        _SECRET,
    ),
    Format("generic", "named UUID key", "opaque", guid, _SECRET),
)
