"""Every route by which text leaves a kernel, as cells; and how to tell what left."""

from __future__ import annotations

import json

from qsec_peer import VALUE

MARK = "[redacted: sandbox]"
SETUP = """
import qsec_jupyter as qsec, os, sys, subprocess, threading, time, base64
from IPython.display import display, HTML
g = qsec.request("sandbox", reason="test"); credential = qsec.credential("sandbox"); v = credential.reveal()
half = len(v) // 2
"""

ROUTES = {
    "print": "print(v)",
    "stderr": "print(v, file=sys.stderr)",
    "the issue's print": 'print(qsec.credential("sandbox").reveal())',
    "result": "v",
    "result inside a list": "[1, {'a': v}]",
    "display": "display(HTML(f'<b>{v}</b>'))",
    "display with update": "h = display('x', display_id=True); h.update(v)",
    "exception": "raise ValueError(v)",
    "exception with cause": "try: 1 / 0\nexcept Exception as e: raise ValueError(v) from e",
    "chained repr in an assertion": "assert v == 'x', v",
    "shell": "!echo {v}",
    "shell by variable": "!echo $v",
    "cell magic": "%%bash -s {v}\necho $1; echo $1 >&2",
    "os.write to 1": "os.write(1, v.encode());",
    "os.write to 2": "os.write(2, v.encode());",
    "os.write in two pieces": "os.write(1, v[:half].encode()); time.sleep(.3); os.write(1, v[half:].encode());",  # noqa: E501
    "subprocess": "subprocess.run([sys.executable, '-c', f'print({v!r})']);",
    "subprocess output": "subprocess.run(['echo', v], capture_output=True).stdout",
    "thread": "t = threading.Thread(target=print, args=(v,)); t.start(); t.join()",
    "fork": "pid = os.fork()\nif pid == 0:\n    print(v, flush=True); os._exit(0)\nos.waitpid(pid, 0); time.sleep(.3)",  # noqa: E501
    "split writes": "print(v[:half], end=''); print(v[half:])",
    "split with flushes": "print(v[:half], end='', flush=True); time.sleep(.3); print(v[half:], flush=True)",
    "character by character": "for c in v: print(c, end='', flush=True)",
    "split over sys.stdout.write": "for c in v: sys.stdout.write(c); sys.stdout.flush()",
    "ANSI between characters": "print('\\x1b[31m'.join(v))",
    "zero-width between characters": "print('\\u200b'.join(v))",
    "hex": "print(v.encode().hex())",
    "base64": "print(base64.b64encode(('user:' + v).encode()).decode())",
    "base64 bytes": "base64.b64encode(v.encode())",
    "reversed": "print(v[::-1])",
    "warning": "import warnings; warnings.warn(v)",
    "logging": "import logging; logging.getLogger('x').warning('token %s', v)",
    "captured and shown": "%%capture out\nprint(v)",
    "shown after capture": "print(out.stdout)",
    "whos": "%whos",
    "store": "%store v",
    "history magic": "%history -n 1-999",
    "inspect": "v?",
    "pandas-like html": "class H:\n    def _repr_html_(self): return f'<td>{v}</td>'\nH()",
    "page": "%page v",
    "set_next_input": "get_ipython().set_next_input(v)",
    "syntax error": "eval(v + '!!')",
    "a callback after the cell": "import asyncio; asyncio.get_event_loop().call_later(.1, print, v); await asyncio.sleep(.4)",  # noqa: E501
    "a copy of the descriptor": "fd = os.dup(1); os.write(fd, v.encode()); os.close(fd); time.sleep(.2)",
    "os.dup2": (
        "kept = os.dup(1); os.dup2(2, 1); os.write(1, v.encode()); os.dup2(kept, 1); os.close(kept)\n"
        "os.write(1, v.encode()); time.sleep(.2)"
    ),
    "os.system": "os.system('echo ' + v); time.sleep(.2)",
    "the interpreter's own stream": "print(v, file=sys.__stdout__, flush=True); time.sleep(.2)",
    "a child on our stream": "subprocess.run(['echo', v], stdout=sys.stdout); time.sleep(.2)",
    "asyncio, piece by piece": (
        "import asyncio\nasync def say():\n"
        "    for c in v: print(c, end='', flush=True); await asyncio.sleep(0)\n"
        "await asyncio.gather(say())"
    ),
    "a pool of processes": (
        "import multiprocessing as mp\n"
        "with mp.get_context('fork').Pool(2) as pool: pool.map(print, [v, v])\ntime.sleep(.3)"
    ),
    "a child that was spawned": (
        "with mp.get_context('spawn').Pool(1) as pool: pool.map(print, [v])\ntime.sleep(.3)"
    ),
    "metadata of a display": "display({'text/plain': 'x'}, metadata={'text/plain': {'k': v}}, raw=True)",
    "the name of an exception": "raise type(v, (Exception,), {})",
    "an exception in a thread": "t = threading.Thread(target=lambda: {}[v]); t.start(); t.join()",
    "an exception that nobody waited for": "async def fails(): raise ValueError(v)\nawait fails()",
    "reprlib": "import reprlib; reprlib.repr([v])",
    "Verbose traceback": (
        "get_ipython().run_line_magic('xmode', 'Verbose')\ndef f(secret): return 1 / 0\nf([v, credential])"
    ),
    "Context traceback": "get_ipython().run_line_magic('xmode', 'Context')\nf([v, credential])",
    "vars and dir": "print(vars(credential), dir(credential)); vars(credential)",
    "a table": (
        "try: import pandas; display(pandas.DataFrame({'c': [credential], 'v': [v]}))\n"
        "except ImportError: pass"
    ),
    "rich": "try: import rich; rich.print(credential, v); rich.inspect(credential)\nexcept ImportError: pass",
    "JSON thrice": "import json; print(json.dumps(json.dumps(json.dumps(v))))",
    "JSON, then hex": "print(json.dumps({'h': v.encode().hex().upper()}))",
    "progress bar between halves": (
        "d = display('0%', display_id=True)\nprint(v[:half], end='', flush=True)\nd.update('50%')\nprint(v[half:])"  # noqa: E501
    ),
}

SAMPLE = r"""
import sys, time
for i in range(5): sys.stderr.write(f"\rstep: {i*20}%|{'#'*i}| {i}/5 [00:0{i}<00:0{5-i}]"); sys.stderr.flush()
for i in range(5): print(f"\r{i*20}% \x1b[32m███\x1b[0m", end="", flush=True)
print(); print("ünïcode 🎈", "tabs\tand\x08backspace")
print("to stderr", file=sys.stderr)
from IPython.display import display, clear_output
display({"text/plain": "x", "application/json": {"a": [1, 2.5, None]}}, raw=True)
clear_output(wait=True); print("after")
import os; os.write(1, b"fd level\n"); time.sleep(.3)
{"z": [1, 2], "long": "y" * 300}
"""


def everything(messages):
    return json.dumps([m["content"] for m in messages], default=repr) + repr(
        [m.get("buffers") for m in messages]
    )


def leaks(text):
    return VALUE in text or VALUE[::-1] in text or VALUE.encode().hex() in text


def v_pieces_absent(shown):
    """No long piece of the value is left either: a half that slipped out would be one."""
    return not any(VALUE[i : i + 12] in shown for i in range(len(VALUE) - 12))
