import io
import logging

import pytest

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan import logs
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.masking import Masker

VALUE = "sk-Q7mT2vXw9LpR4nZ8bKdY1cHf"
UNKNOWN = "an-unknown-bearer-0123456789"


@pytest.fixture
def masked():
    known = KnownValues()
    known.add("sandbox", Secret(VALUE, "sandbox"))
    undo = logs.install(Masker(known))
    yield
    undo()


@pytest.fixture(params=["", "qiskit.transpiler", "urllib3.connectionpool", "made.by.a.user"])
def log(request, masked):
    """A logger, and a handler that is added after the filter was."""
    logger = logging.getLogger(request.param)
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(message)s %(token)s", defaults={"token": ""}))
    logging.getLogger().addHandler(handler)
    before = logger.level
    logger.setLevel(logging.DEBUG)  # not the attribute: what a logger answered before is remembered
    yield logger, text
    logger.setLevel(before)
    logging.getLogger().removeHandler(handler)


def test_known_values_are_masked_wherever_a_record_holds_them(log):
    logger, text = log
    logger.info("token %s and %r", VALUE, {"k": VALUE})
    logger.info("dict %(a)s", {"a": VALUE})
    logger.info("extra", extra={"token": VALUE})
    try:
        raise ValueError(VALUE)  # noqa: TRY301
    except ValueError:
        logger.exception("failed")
    assert VALUE not in text.getvalue()
    assert text.getvalue().count("[redacted: sandbox]") == 5
    assert "Traceback" in text.getvalue()


@pytest.mark.parametrize(
    "shown",
    [
        f"send: b'GET / HTTP/1.1\\r\\nAuthorization: Bearer {UNKNOWN}\\r\\nHost: x\\r\\n'",
        f"headers {{'Authorization': 'Bearer {UNKNOWN}', 'Accept': '*/*'}}",
        f"authorization={UNKNOWN}",
        f'"Proxy-Authorization": "Basic {UNKNOWN}"',
        f"X-Vault-Token: {UNKNOWN}",
        f"('Authorization', 'apikey {UNKNOWN}')",
        f"Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature={UNKNOWN}",
    ],
)
def test_headers_that_authorise_are_masked_whatever_their_value(log, shown):
    logger, text = log
    logger.debug(shown)
    assert UNKNOWN not in text.getvalue()
    assert "[redacted: " in text.getvalue()


@pytest.mark.parametrize(
    "shown",
    ["authorization granted for bob", "Authorization: none", "3 tokens", "api-level 5", "100% of\tit\n"],
)
def test_other_records_stay_as_they_are(log, shown):
    logger, text = log
    logger.info("%s", shown)
    assert text.getvalue() == shown + " \n"


def test_a_record_with_a_wrong_format_does_not_show_its_arguments(log):
    logger, text = log
    logger.info("%s %s", VALUE)  # noqa: PLE1206
    assert VALUE not in text.getvalue()
    assert "[redacted: sandbox]" in text.getvalue()


def test_undoing_restores_what_was_there():
    before = logging.Logger.handle
    undo = logs.install(Masker(KnownValues()))
    assert logging.Logger.handle is not before
    undo()
    assert logging.Logger.handle is before
