"""Claim: people are told at least once, in nobody's way, with no secret and no more than is set.

A real SMTP server with TLS and real HTTP servers receive; the control plane is a real one.
"""

import base64
import email
import hashlib
import hmac
import json
import re
import threading
import time

import pytest
from aiosmtpd.controller import Controller
from receivers import free_port, hooks, smtp
from several_people import CATALOGUE, team
from typer.testing import CliRunner

from qsec_jupyter.control.catalog import parse_catalog
from qsec_jupyter.control.notifications import post
from qsec_jupyter.control.notifications.channel import Channel, is_loopback
from qsec_jupyter.core.errors import Invalid, Unavailable

__all__ = ["team"]

PASSWORD = "mail-p4ssw0rd-of-the-channel"
KEY = "webhook-k3y-of-the-channel"
REASON = "because of Ada's private affairs"


@pytest.fixture
def receiver():
    with hooks() as server:
        yield server


@pytest.fixture
def mail(tmp_path):
    folder = tmp_path / "mailserver"
    folder.mkdir()
    with smtp(folder, PASSWORD) as (box, port):
        box.port, box.ca = port, folder / "server.pem"
        yield box


@pytest.fixture
def tell(team, tmp_path):
    """Return a function that sets channels up: their tables, their secrets."""
    folder = tmp_path / "notifications"
    folder.mkdir(mode=0o700)

    def channels(tables, secrets=()):
        for name, value in dict(secrets).items():
            (folder / name).write_text(value)
            (folder / name).chmod(0o600)
        (tmp_path / "catalog.toml").write_text(CATALOGUE + tables)
        for _ in range(3):
            team.plane.reload_policy()
        assert set(team.plane.catalogue.channels) == set(re.findall(r"\[notifications\.(\w+)\]", tables))

    return channels


def hook(server, name="ops", **more):
    extra = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return (
        f'[notifications.{name}]\nkind = "webhook"\nurl = "{server.url}/take"\n'
        f'secret_file = "{name}.key"\n{extra}'
    )


def delivered(team):
    team.plane.events.settle()
    team.plane.notices.deliver()


# -- mail -----------------------------------------------------------------------------------------


def mail_table(mail, **more):
    extra = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return f"""[notifications.mail]
kind = "email"
server = "127.0.0.1:{mail.port}"
sender = "qsec@example.org"
to = ["owners@example.org"]
user = "qsec"
secret_file = "mail.password"
ca = "{mail.ca}"
{extra}"""


def test_mail_goes_over_tls_with_a_login_and_says_what_is_set(team, tell, mail) -> None:
    tell(mail_table(mail), {"mail.password": PASSWORD})
    team.request("ada", "premium", reason=REASON, ticket="QC-7")
    delivered(team)
    assert mail.logins == ["qsec over tls"]
    (text,) = mail.messages
    told = email.message_from_string(text)
    assert (told["From"], told["To"]) == ("qsec@example.org", "owners@example.org")
    assert "premium" in told["Subject"]
    assert "ada" in text
    assert REASON not in text
    assert "QC-7" not in text
    assert PASSWORD not in text
    assert team.plane.notices.waiting() == 0


def test_reason_and_ticket_are_told_only_where_that_is_set(team, tell, mail) -> None:
    tell(mail_table(mail, say=["reason", "ticket"]), {"mail.password": PASSWORD})
    team.request("ada", "premium", reason=REASON, ticket="QC-7")
    delivered(team)
    text = " ".join(mail.messages[0].split())
    assert REASON in text
    assert "QC-7" in text
    assert "requester" not in text


def test_reason_writes_no_header(team, tell, mail) -> None:
    tell(mail_table(mail, say=["reason"]), {"mail.password": PASSWORD})
    team.request("ada", "premium", reason="x\r\nBcc: eve@example.org\r\n\r\n<script>")
    delivered(team)
    told = email.message_from_string(mail.messages[0])
    assert told["Bcc"] is None
    assert told["To"] == "owners@example.org"


def test_server_without_tls_gets_neither_password_nor_message(team, tell, tmp_path) -> None:
    seen = []

    class Plain:
        async def handle_DATA(self, server, session, envelope):
            seen.append(envelope.content)
            return "250 OK"

    controller = Controller(Plain(), "127.0.0.1", free_port())
    controller.start()
    try:
        port = controller.server.sockets[0].getsockname()[1]
        table = mail_table(type("Server", (), {"port": port, "ca": tmp_path / "none"}))
        tell(table.replace(f'ca = "{tmp_path / "none"}"\n', ""), {"mail.password": PASSWORD})
        team.request()
        delivered(team)
    finally:
        controller.stop()
    assert seen == []
    assert team.plane.notices.waiting() == 1


def test_certificate_of_somebody_else_gets_nothing(team, tell, mail) -> None:
    tell(mail_table(mail).replace(f'ca = "{mail.ca}"\n', ""), {"mail.password": PASSWORD})
    team.request()
    delivered(team)
    assert (mail.logins, mail.messages) == ([], [])
    (line,) = [one for one in team.plane.health.report()["checks"] if one["name"] == "notifications"]
    assert not line["ok"]
    assert PASSWORD not in str(line)


# -- webhooks -------------------------------------------------------------------------------------


def verify(headers, body, key=KEY, now=None):
    """Verify as the documentation tells a receiver to."""
    identifier, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    signed = f"{identifier}.{timestamp}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(key.encode(), signed, hashlib.sha256)).decode()
    fresh = abs((now or time.time()) - int(timestamp)) < 300
    return fresh and hmac.compare_digest(wanted, headers["webhook-signature"])


def test_webhook_is_signed_and_replay_shows(team, tell, receiver) -> None:
    tell(hook(receiver), {"ops.key": KEY})
    grant = team.request(reason=REASON)
    delivered(team)
    ((path, headers, body),) = receiver.taken
    assert path == "/take"
    assert verify(headers, body)
    assert not verify(headers, body.replace(b"premium", b"open"))
    assert not verify(headers, body, key="another")
    assert not verify({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body)
    assert not verify({**headers, "webhook-id": "msg_0"}, body)
    assert not verify(headers, body, now=time.time() + 600)
    told = json.loads(body)
    assert (told["kind"], told["target"], told["grant"]) == ("grant.requested", "premium", grant["id"])
    assert told["id"] == headers["webhook-id"]
    assert REASON not in body.decode()


def test_every_try_of_one_notification_has_the_same_id(team, tell, receiver) -> None:
    receiver.answers = [(500, {}), (503, {})]
    tell(hook(receiver), {"ops.key": KEY})
    team.request()
    delivered(team)
    assert team.plane.notices.waiting() == 1
    for _ in range(2):
        from qsec_jupyter.control import tables

        team.plane.store.change(tables.notices, {}, {"next_at": "2000-01-01T00:00:00.000Z"})
        delivered(team)
    assert len(receiver.taken) == 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.taken}) == 1
    assert team.plane.notices.waiting() == 0


def test_tries_are_spread_out_and_given_up_after_a_day(team, tell, receiver) -> None:
    from qsec_jupyter.control import tables
    from qsec_jupyter.control.notifications.notices import PAUSES

    receiver.answers = [(500, {})] * 10
    tell(hook(receiver), {"ops.key": KEY})
    team.request()
    delivered(team)
    for tries in range(1, 4):
        (row,) = team.plane.store.rows(tables.notices)
        assert row["tries"] == tries
        delivered(team)  # not due yet
        assert len(receiver.taken) == tries
        team.plane.store.change(tables.notices, {}, {"next_at": "2000-01-01T00:00:00.000Z"})
        team.plane.notices.deliver()
    assert tuple(sorted(PAUSES)) == PAUSES
    old = {"next_at": "2000-01-01T00:00:00.000Z", "queued_at": "2000-01-01T00:00:00.000Z"}
    team.plane.store.change(tables.notices, {}, old)
    delivered(team)
    assert team.plane.notices.waiting() == 0
    assert "notification.dropped" in json.dumps(team.ask("aud", "GET", "/v1/events")[1])


def test_what_was_queued_survives_a_crash_and_is_sent_once(team, tell, receiver) -> None:
    from several_people import open_plane

    tell(hook(receiver), {"ops.key": KEY})
    team.request()
    home = team.plane._home
    team.plane.ending.end_server = lambda *_: []  # neither indexed nor queued yet: as after a kill
    team.plane.timers.safely = lambda work: None
    team.plane.close()
    plane = open_plane(home)
    try:
        for _ in range(3):
            plane.events.settle()
            plane.notices.deliver()
        kinds = [json.loads(body)["kind"] for _, _, body in receiver.taken]
        assert kinds == ["grant.requested"]
    finally:
        plane.close()


def test_channel_that_hangs_holds_up_no_request_and_no_other_channel(team, tell, receiver) -> None:
    receiver.hang.clear()
    with hooks() as other:
        tell(hook(receiver) + hook(other, "second"), {"ops.key": KEY, "second.key": KEY})
        team.request()
        team.plane.events.settle()
        sending = threading.Thread(target=team.plane.notices.deliver)
        sending.start()
        began = time.monotonic()
        team.request("cy", "open")
        assert team.credential("cy", "open")[0] == 200
        assert time.monotonic() - began < 3
        while not other.taken and time.monotonic() - began < 5:
            time.sleep(0.01)
        assert other.taken
        receiver.hang.set()
        sending.join(10)


def test_redirect_is_not_followed(team, tell, receiver) -> None:
    with hooks() as elsewhere:
        receiver.answers = [(307, {"Location": f"{elsewhere.url}/steal"})]
        tell(hook(receiver), {"ops.key": KEY})
        team.request()
        delivered(team)
        assert elsewhere.taken == []
    assert team.plane.notices.waiting() == 1


def test_proxy_of_the_environment_is_not_asked(team, tell, receiver, monkeypatch) -> None:
    with hooks() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        tell(hook(receiver), {"ops.key": KEY})
        team.request()
        delivered(team)
        assert (proxy.taken, len(receiver.taken)) == ([], 1)


def test_slack_address_is_a_secret_and_names_call_nobody(team, tell, receiver, tmp_path) -> None:
    address = f"{receiver.url}/services/T0/B0/s3cr3t-part"
    table = '[notifications.chat]\nkind = "slack"\nsecret_file = "chat.url"\nsay = ["reason"]\n'
    tell(table, {"chat.url": address})
    team.request(reason="<!channel> <http://evil.example|click> & more")
    receiver.answers = [(404, {})]
    delivered(team)
    ((path, _, body),) = receiver.taken
    assert path == "/services/T0/B0/s3cr3t-part"
    text = json.loads(body)["text"]
    assert "<" not in text
    assert "&lt;!channel&gt;" in text
    assert "s3cr3t-part" not in json.dumps(team.plane.health.report())
    assert b"s3cr3t-part" not in (tmp_path / "journal-0" / "qsec.db").read_bytes()


@pytest.mark.parametrize("wanted", [["grant.approved"], ["lock"], ["credential"]])
def test_only_wanted_events_of_wanted_targets_are_told(team, tell, receiver, wanted) -> None:
    tell(hook(receiver, events=wanted, targets=["premium"]), {"ops.key": KEY})
    team.request("cy", "open")
    team.credential("cy", "open")
    team.request()
    delivered(team)
    assert receiver.taken == []


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://user:pw@example.org/",
        "http://127.0.0.1.example.org/", "http://2130706433/", "http://[::ffff:169.254.169.254]/", "https://",
        "http://localhost.example.org/", "https://example.org:99999/", "gopher://x", "//example.org", "",
    ],
)  # fmt: skip
def test_address_that_is_neither_https_nor_this_machine_is_refused(url) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_catalog(CATALOGUE + f'[notifications.a]\nkind = "webhook"\nurl = "{url}"\nsecret_file = "k"\n')
    assert "pw" not in str(refusal.value)


@pytest.mark.parametrize(
    "table",
    [
        'kind = "pigeon"', 'kind = "webhook"', 'kind = "slack"',
        'kind = "slack"\nsecret_file = "../../etc/passwd"',
        'kind = "slack"\nsecret_file = "k"\nevents = ["grant.eaten"]',
        'kind = "slack"\nsecret_file = "k"\nsay = ["all"]',
        'kind = "slack"\nsecret_file = "k"\ntargets = ["nowhere"]', 'kind = "slack"\nsecret_file = 5',
        'kind = "email"\nserver = "mail.example.org:25"\nsender = "a@b.c"\nto = ["x@y.z"]\ntls = "none"',
        'kind = "email"\nserver = "m:25"\nsender = "a@b.c\\nBcc: e@f.g"\nto = ["x@y.z"]',
        'kind = "email"\nserver = "m:mail"\nsender = "a@b.c"\nto = ["x@y.z"]\ntls = "none"',
        'colour = "red"\nkind = "slack"',
    ],
)  # fmt: skip
def test_channel_that_is_wrong_is_refused(table) -> None:
    with pytest.raises(Invalid, match="notification 'a' is wrong"):
        parse_catalog(f"{CATALOGUE}[notifications.a]\n{table}\n")


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1"]
)
def test_name_that_leads_to_the_networks_plumbing_is_refused(address) -> None:
    class Peer:
        def getpeername(self):
            return (address, 443)

    with pytest.raises(ValueError, match="link-local"):
        post._refuse_plumbing(Peer())
    assert not is_loopback(address)


def test_secret_that_others_can_read_is_not_used(tmp_path) -> None:
    channel = Channel.parse("a", {"kind": "slack", "secret_file": "k"})
    (tmp_path / "notifications").mkdir()
    path = tmp_path / "notifications" / "k"
    path.write_text("https://example.org/x")
    for mode in (0o644, 0o660, 0o604):
        path.chmod(mode)
        with pytest.raises(Unavailable):
            channel.secret(tmp_path)
    path.chmod(0o600)
    assert "example" not in repr(channel.secret(tmp_path))


# -- the command ----------------------------------------------------------------------------------


def test_command_lists_and_tries(team, tell, receiver, monkeypatch, tmp_path) -> None:
    from qsec_jupyter.cli.main import app

    monkeypatch.setenv("QSEC_HOME", str(tmp_path))
    tell(hook(receiver), {"ops.key": KEY})
    listed = CliRunner().invoke(app, ["notify"])
    assert "ops: webhook" in listed.stdout
    assert listed.stdout.strip().endswith("ready")
    assert CliRunner().invoke(app, ["notify", "--test", "ops"]).stdout.strip().endswith("delivered")
    assert json.loads(receiver.taken[0][2])["kind"] == "test"
    receiver.answers = [(500, {})]
    failed = CliRunner().invoke(app, ["notify", "--test"])
    assert "HTTP status 500" in failed.stdout
    assert failed.exit_code != 0
    assert KEY not in listed.output + failed.output
