"""Every encoding of an issued value, and the set of them."""

import base64
import html
import json
import logging
import subprocess
import sys
import threading
from urllib.parse import quote

from hypothesis import given, strategies as st

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.known import MINIMUM, KnownValues, encodings

VALUES = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=MINIMUM, max_size=60)


def shows(text, value):
    return any(form in text for form in encodings(value))


@given(VALUES)
def test_common_encodings_of_a_value_show_it(value):
    data = value.encode()
    for text in (
        value,
        value[::-1],
        data.hex(),
        data.hex().upper(),
        quote(value, safe=""),
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        json.dumps(json.dumps({"a": value})),
        repr(value),
        html.escape(value),
    ):
        assert shows(text, value)


@given(VALUES, st.binary(max_size=40), st.binary(max_size=40))
def test_base64_shows_a_value_whatever_stands_around_it(value, before, behind):
    data = before + value.encode() + behind
    assert shows(base64.b64encode(data).decode(), value)
    assert shows(base64.urlsafe_b64encode(data).decode(), value)


def test_value_that_is_too_short_is_refused_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        assert encodings("short") == frozenset()
        known = KnownValues()
        known.add("sandbox", Secret("short", "sandbox"))
    assert known.snapshot() == (0, {})
    assert "shorter than 8" in caplog.text
    assert "'short'" not in caplog.text


def test_version_changes_with_the_set_only():
    known = KnownValues()
    known.add("a", Secret("value-of-a", "a"))
    first = known.version
    known.add("a", Secret("value-of-a", "a"))
    assert known.version == first
    known.add("a", Secret("next-value-of-a", "a"))
    assert known.version > first
    assert {"value-of-a", "next-value-of-a"} <= set(known.snapshot()[1])
    known.discard("a")
    assert known.snapshot()[1] == {}


def test_adding_from_many_threads_loses_nothing():
    known = KnownValues()

    def add(number):
        known.add(f"t{number}", Secret(f"value number {number}", "t"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({label for label, _ in known.snapshot()[1].values()}) == 40
    assert "value number" not in repr(known)


def test_module_needs_the_standard_library_only():
    code = (
        "import sys; import qsec_jupyter.scan.known; "
        "print(sorted({n.partition('.')[0] for n in sys.modules} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0]=['.']; {code}"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "['__main__', 'qsec_jupyter']", done.stderr
