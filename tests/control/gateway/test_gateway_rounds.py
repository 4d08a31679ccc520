"""Work at providers: each target's for itself, begun once for many, again while something is left."""

import threading
from contextlib import contextmanager

import pytest

from qsec_jupyter.control.gateway.jobs.rounds import Rounds
from qsec_jupyter.core.errors import Unavailable


@pytest.fixture
def made():
    """Return a function that makes rounds; what hangs of them is let go of after the test."""
    over, begun = threading.Event(), []

    def make(work, open_account=None, **how):
        @contextmanager
        def usual(target):
            yield target

        begun.append(Rounds("test", open_account or usual, work, **how))
        return begun[-1]

    make.over = over
    yield make
    over.set()
    for one in begun:
        one.close()


def test_a_target_that_hangs_holds_up_no_other(made) -> None:
    done = threading.Event()
    rounds = made(lambda target, _: made.over.wait(20) if target == "a" else done.set(), at_once=2)
    hanging = [rounds.begin("a") for _ in range(20)]
    rounds.begin("b").result(5)
    assert done.is_set()
    assert not any(one.done() for one in hanging)


def test_a_round_that_hangs_leaves_room_for_the_next_at_its_target(made) -> None:
    first, second = threading.Event(), threading.Event()

    def work(target, _):
        if first.is_set():
            second.set()
        else:
            first.set()
            made.over.wait(20)

    rounds = made(work, at_once=2)
    rounds.begin("a")
    assert first.wait(5)
    rounds.begin("a").result(5)
    assert second.is_set()


def test_what_comes_while_the_account_is_opened_begins_no_round_of_its_own(made) -> None:
    opening, opened, worked = threading.Event(), [], []

    @contextmanager
    def slow(target):
        opened.append(target)
        opening.wait(5)
        yield target

    rounds = made(lambda target, _: worked.append(target), slow, at_once=4)
    begun = {rounds.begin("a") for _ in range(200)}
    opening.set()
    for one in begun:
        one.result(5)
    assert len(begun) == 1
    assert opened == worked == ["a"]


def test_what_is_left_is_tried_after_a_pause_and_what_is_new_at_once(made) -> None:
    worked = []
    rounds = made(lambda target, _: worked.append(target))
    rounds.again({"a": {"job-1"}}, 5)
    rounds.again({"a": {"job-1"}}, 5)
    assert worked == ["a"], "its pause is not over"
    rounds.again({"a": {"job-1", "job-2"}, "b": {"job-3"}}, 5)
    assert sorted(worked) == ["a", "a", "b"]
    rounds.again({}, 5)
    rounds.again({"a": {"job-1"}}, 5)
    assert sorted(worked) == ["a", "a", "a", "b"], "it came anew"


def test_an_account_that_cannot_be_opened_is_tried_again(made, monkeypatch) -> None:
    monkeypatch.setattr("qsec_jupyter.control.gateway.jobs.rounds.PAUSES", (0.0,))
    away, worked = [True], []

    @contextmanager
    def account(target):
        if away:
            raise Unavailable("gateway.provider_away", "It cannot be asked")
        yield target

    rounds = made(lambda target, _: worked.append(target), account)
    rounds.again({"a": {"job-1"}}, 5)
    assert worked == []
    away.clear()
    rounds.again({"a": {"job-1"}}, 5)
    assert worked == ["a"]
