"""What a real worker of the gateway says of jobs, and that it reads an honest one after them."""

import asyncio
import json

from qsec_jupyter.control.gateway.payload import Workers
from qsec_jupyter.core.errors import Invalid, Unavailable

KEY = b"k" * 32


def refusals(*bodies, honest, shots, limits, canary, then=None):
    """Return the code with which each body is refused, or ``None``.

    An honest job of so many shots is read after them; ``then`` is called with the workers.
    """

    async def run():
        workers = Workers(most=1, limits=limits)
        try:
            codes = [await refusal(workers, body, canary) for body in bodies]
            assert (await workers.read("ibm", honest, key=KEY)).shots == shots
            if then is not None:
                then(workers)
            return codes
        finally:
            await workers.close()

    return asyncio.run(run())


async def refusal(workers, body, canary):
    """Return the code with which one is refused, readably and without what was in it."""
    (outcome,) = await asyncio.gather(workers.read("ibm", body, key=KEY), return_exceptions=True)
    if not isinstance(outcome, BaseException):
        return None
    assert isinstance(outcome, (Invalid, Unavailable)), outcome
    assert outcome.code.startswith("payload.")
    told = outcome.to_problem()
    assert told["title"]
    assert told["remedy"]
    assert canary not in json.dumps(told)
    return outcome.code
