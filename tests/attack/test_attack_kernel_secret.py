"""Claim: a credential shows no secret by accident, and what hides it fails loudly rather than silently.

Each test tries a way that ordinary code takes without meaning to. What hostile code in the same process can
do is pinned down too, so that nobody believes more than is true: it can reach the value and undo the hooks.
"""

import gc
import json
import logging
import pickle
import pprint
import traceback

import pytest

from qsec_jupyter.core.errors import Denied
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel.credential import Credential, ended

VALUE = "sk-Q7mT2vXw9LpR4nZ8bKdY1cHf"


@pytest.fixture
def credential():
    return Credential(Secret(VALUE, "sandbox"), expires_at="2999-01-01T00:00:00.000Z", grant_id="g")


def test_no_common_way_to_show_an_object_shows_the_value(credential, caplog):
    holder = {"c": credential, "list": [credential]}
    logging.getLogger("x").error("using %s and %r", credential, holder)
    shown = [
        repr(holder), str(holder), pprint.pformat(holder), f"{credential!r:>60}", "%s" % credential,  # noqa: UP031
        f"{credential}", credential._repr_html_(), repr(dir(credential)), caplog.text,
    ]  # fmt: skip
    assert not any(VALUE in text for text in shown)


def test_serialisers_get_a_marker_or_refuse(credential):
    assert VALUE.encode() not in pickle.dumps({"c": credential})
    with pytest.raises(TypeError):
        json.dumps(credential)
    assert VALUE not in json.dumps(credential, default=str)


def test_a_traceback_with_locals_shows_no_value(credential):
    def fails(credential):
        raise RuntimeError("no")

    try:
        fails(credential)
    except RuntimeError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert VALUE not in text
    assert "[redacted: sandbox]" in text


def test_a_credential_cannot_be_mistaken_for_its_text(credential):
    with pytest.raises(TypeError):
        "Bearer " + credential
    with pytest.raises(TypeError):
        credential.encode if False else len(credential)
    assert credential != VALUE


def test_a_dead_credential_gives_nothing_whichever_way_it_died(credential):
    credential.drop(ended("sandbox", "revoked"))
    for _ in range(2):
        with pytest.raises(Denied):
            credential.reveal()
    credential.drop(ended("sandbox", "expired"))
    with pytest.raises(Denied) as caught:
        credential.reveal()
    assert caught.value.code == "grant.revoked"


def test_an_error_about_a_credential_never_quotes_it(credential):
    credential.drop(ended("sandbox", "revoked"))
    with pytest.raises(Denied) as caught:
        credential.reveal()
    assert VALUE not in str(caught.value) + json.dumps(caught.value.to_problem())


def test_hostile_code_in_the_same_process_can_reach_the_value_and_we_say_so(credential):
    """Not a defect to fix but a limit to know: a kernel guards against accidents, it does not enforce."""
    assert credential._secret._value == VALUE
    assert any(found == VALUE for found in gc.get_referents(credential._secret))
