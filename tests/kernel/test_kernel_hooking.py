"""What a wrapped method must not change: where a warning is blamed on, and so whether it is shown."""

import asyncio
import inspect
import traceback
import warnings

import pytest

from qsec_jupyter.kernel import execution
from qsec_jupyter.kernel.frameworks.programs import Programs


class Framework(Programs):
    name = "tried"

    def describe(self, run, instance, args, options):
        pass

    def summarise(self, instance, args, options):
        return {}

    def observe(self, job, finish):
        finish("done")


class Old:
    def run(self):
        warnings.warn("old", DeprecationWarning, stacklevel=2)
        return "done"

    def fail(self):
        raise ValueError("mine")

    async def wait(self):
        await asyncio.sleep(0)
        warnings.warn("old", DeprecationWarning, stacklevel=2)


@pytest.fixture(autouse=True)
def recording(channel):
    for method in ("run", "fail", "wait"):
        execution.hook(Old, Framework(method))
    execution.start(channel, None)
    yield
    execution.recorder.flush(2)
    execution.recorder = None


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_warning_is_blamed_on_the_line_that_called(on) -> None:
    execution.switch(on=on)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1
        Old().run()
    execution.switch(on=True)
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, line)]


def test_warning_of_a_coroutine_is_blamed_on_the_line_that_awaits() -> None:
    async def user():
        await Old().wait()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(user())
    assert [warning.filename for warning in caught] == [__file__]


def test_exception_keeps_the_users_frames_and_says_which_are_ours() -> None:
    with pytest.raises(ValueError, match="mine") as caught:
        Old().fail()
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert (frames[0].filename, frames[-1].filename) == (__file__, __file__)
    assert {frame.filename.partition(" ")[0] for frame in frames[1:-1]} == {"qsec_jupyter.kernel"}


def test_source_and_signature_of_the_original_are_still_found() -> None:
    assert "stacklevel=2" in inspect.getsource(Old.run)
    assert inspect.iscoroutinefunction(Old.wait)
