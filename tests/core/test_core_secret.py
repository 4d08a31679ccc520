import copy
import pickle

import pytest

from qsec_jupyter.core.secret import Secret, marker

VALUE = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, "{:>40}".format, "%s".__mod__, "%r".__mod__, lambda s: f"{[s]}"]
)
def test_secret_never_shows_its_value(show) -> None:
    shown = show(Secret(VALUE, "sandbox"))
    assert VALUE not in shown
    assert "[redacted: sandbox]" in shown


def test_secret_reveals_on_request() -> None:
    assert Secret(VALUE, "sandbox").reveal() == VALUE


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_holds_no_value_and_says_so(protocol: int) -> None:
    data = pickle.dumps(Secret(VALUE, "sandbox"), protocol)
    assert VALUE.encode() not in data
    back = pickle.loads(data)
    with pytest.raises(ValueError, match="holds no value") as caught:
        back.reveal()
    assert VALUE not in str(caught.value)


def test_vars_and_inspectors_show_the_masked_form() -> None:
    shown = vars(Secret("hunter2-hunter2", "sandbox"))
    assert shown == {"label": "sandbox", "value": "[redacted: sandbox]"}


def test_copies_are_the_same_secret() -> None:
    secret = Secret(VALUE, "sandbox")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


@pytest.mark.parametrize("label", ["a<b>", 'q"', "x]\n", "\x1b[31m", "ü"])
def test_marker_needs_no_escaping_anywhere(label: str) -> None:
    text = marker(label)
    assert text.startswith("[redacted: ")
    assert not set('<>"\n\x1bü&\\') & set(text)
