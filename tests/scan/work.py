"""Counts what a call does, where its time would depend on the machine."""

import sys


def calls(function, *arguments):
    """Return how many functions ``function`` calls, those in C among them."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return count
