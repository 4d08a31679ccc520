"""Every route by which text leaves a real kernel, tried with a value that the kernel was given."""

import os
import sqlite3
import subprocess
import sys
import time

import pytest
from qsec_kernels import Kernel, Peer, printed
from qsec_peer import VALUE
from qsec_routes import MARK, ROUTES, SAMPLE, SETUP, everything, leaks, v_pieces_absent


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Peer() as peer, Kernel(peer, tmp_path_factory.mktemp("kernel")) as started:
        started.run(SETUP)
        yield started


@pytest.mark.parametrize("route", ROUTES)
def test_a_known_value_does_not_leave_by(kernel, route):
    shown = everything(kernel.run(ROUTES[route]))
    assert not leaks(shown)
    assert v_pieces_absent(shown)


@pytest.mark.parametrize(
    "route", ["print", "exception", "shell", "os.write to 1", "thread", "split with flushes", "fork"]
)
def test_the_marker_names_the_target(kernel, route):
    assert MARK in everything(kernel.run(ROUTES[route]))


def test_the_echo_of_a_cell_that_holds_the_value_is_masked(kernel):
    assert not leaks(everything(kernel.run(f"x = '{VALUE}'")))


def test_user_expressions_and_inspect_and_history_replies_are_masked(kernel):
    messages = kernel.run("1", user_expressions={"a": "v", "b": "1/0 if v else v"})
    assert not leaks(everything(messages))
    assert not leaks(everything([kernel.reply(kernel.client.inspect("v", detail_level=1))]))
    kernel.run(f"y = '{VALUE}'")
    wanted = kernel.client.history(raw=True, hist_access_type="tail", n=50)
    assert not leaks(everything([kernel.reply(wanted)]))


def test_history_on_disk_holds_the_marker(kernel):
    kernel.run(f"z = '{VALUE}'")
    path = kernel.text(
        "ip = get_ipython(); ip.history_manager.writeout_cache(); print(ip.history_manager.hist_file)"
    )
    if ":memory:" not in path:
        with sqlite3.connect(path.strip()) as database:
            rows = database.execute("select source, source_raw from history").fetchall()
        assert not leaks(repr(rows))
        assert MARK in repr(rows)


def test_comm_messages_and_their_buffers_are_masked(kernel):
    messages = kernel.run(
        "from comm import create_comm\n"
        "c = create_comm(target_name='t', data={'k': v}, buffers=[v.encode(), memoryview(b'ok')])\n"
        "c.send({'k': [v]}, buffers=[bytearray(b'..' + v.encode())])"
    )
    comms = [m for m in messages if m["msg_type"].startswith("comm")]
    assert len(comms) == 2
    assert not leaks(everything(comms))
    assert [len(b) for b in comms[0]["buffers"]] == [len(VALUE), 2]


def test_verbose_tracebacks_show_neither_the_value_nor_its_beginning(tmp_path):
    long = "L" + "".join(f"{i:x}k" for i in range(120))
    with Peer(long) as peer, Kernel(peer, tmp_path) as kernel:
        kernel.run(SETUP + "\nget_ipython().run_line_magic('xmode', 'Verbose')")
        shown = everything(kernel.run("def f(secret):\n    copy = [secret]\n    return 1 / 0\nf(v)"))
    assert not any(long[i : i + 16] in shown for i in range(0, len(long) - 16, 8))


def test_the_servers_log_holds_no_value(tmp_path):
    with Peer() as peer, Kernel(peer, tmp_path) as kernel:
        kernel.run(SETUP)
        kernel.run("os.write(1, b'just words\\n'); os.write(1, v.encode()); os.write(2, v.encode());")
        kernel.run("for c in v: os.write(1, c.encode())\n!echo {v}")
        log = kernel.log
    text = log.read_text()
    assert "just words" in text
    assert text.count(MARK) == 3
    assert not leaks(text)


def test_neither_environment_nor_command_line_holds_a_secret_or_the_descriptor(kernel):
    text = kernel.text(
        "print(dict(os.environ)); print(subprocess.run(['env'], capture_output=True, text=True).stdout)"
    )
    assert "QSEC" not in text.replace("QSEC_HOME", "")


def test_a_child_process_cannot_use_the_socket(kernel):
    code = (
        "import socket; print([fd for fd in range(3, 256) if __import__('os').path.exists(f'/proc/self/fd/{fd}')"  # noqa: E501
        " and 'socket' in __import__('os').readlink(f'/proc/self/fd/{fd}')])"
    )
    shown = kernel.text(f"subprocess.run([sys.executable, '-c', {code!r}], close_fds=False);")
    assert shown.strip() == "[]"


def test_a_forked_child_is_told_that_the_channel_is_not_its_own(kernel):
    shown = kernel.text(
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try: qsec.grants()\n"
        "    except Exception as e: print(type(e).__name__, e.code, flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0); time.sleep(.3); print(len(qsec.grants()))"
    )
    assert "Unavailable channel.closed" in shown
    assert shown.strip().endswith("1")


def test_multiprocessing_output_is_masked_and_complete(kernel):
    shown = kernel.text(
        "import multiprocessing as mp\n"
        "ctx = mp.get_context('fork'); p = ctx.Process(target=lambda: print('a', v, 'tail'))\n"
        "p.start(); p.join(); time.sleep(.3)"
    )
    assert shown == f"a {MARK} tail\n"


@pytest.mark.parametrize("text", ["s", "sk", "sk-Q7", VALUE[:-1]])
def test_a_held_back_beginning_is_shown_before_the_cell_goes_idle(kernel, text):
    messages = kernel.run(f"print({text!r}, end='')")
    assert printed(messages) == text
    kinds = [m["msg_type"] for m in messages]
    assert kinds.index("stream") < len(kinds) - 2


def test_output_keeps_its_order_around_displays_and_errors(kernel):
    messages = kernel.run("print('sk', end=''); display(1); print('sk', end=''); 1/0")
    order = [m["msg_type"] for m in messages if m["msg_type"] in {"stream", "display_data", "error"}]
    assert order == ["stream", "display_data", "stream", "error"]


def test_an_interrupt_in_the_middle_of_a_held_value_shows_what_was_printed(kernel):
    wanted = kernel.client.execute("print(v[:5], end='', flush=True); time.sleep(30)")
    texts = []
    interrupted = False
    while True:
        message = kernel.client.get_iopub_msg(timeout=20)
        if message["parent_header"].get("msg_id") != wanted:
            continue
        if message["msg_type"] == "execute_input" and not interrupted:
            interrupted = True
            time.sleep(0.5)
            kernel.manager.interrupt_kernel()
        if message["msg_type"] == "stream":
            texts.append(message["content"]["text"])
        if message["content"].get("execution_state") == "idle":
            break
    kernel.reply(wanted)
    assert "".join(texts) == VALUE[:5]


def test_interrupting_a_waiting_request_leaves_it_open_and_the_kernel_usable(kernel):
    wanted = kernel.client.execute("qsec.request('pilot', reason='wait for it')")
    while True:
        message = kernel.client.get_iopub_msg(timeout=20)
        if message["parent_header"].get("msg_id") == wanted and message["msg_type"] == "display_data":
            break
    assert "needs approval" in message["content"]["data"]["text/plain"]
    kernel.manager.interrupt_kernel()
    assert kernel.reply(wanted)["content"]["ename"] == "KeyboardInterrupt"
    time.sleep(0.5)  # ipykernel aborts what is queued behind an error
    shown = kernel.text("print([(g.target, g.state) for g in qsec.grants() if g.target == 'pilot'])")
    assert "('pilot', 'requested')" in shown


def test_a_threads_output_after_its_cell_ended_still_arrives(kernel):
    kernel.run("def late():\n    time.sleep(.5); print('sk', end='')\nthreading.Thread(target=late).start()")
    stray = kernel.stray(3)
    assert "sk" in printed(stray)


def test_without_known_values_in_it_output_is_the_same_as_a_bare_kernels(kernel, tmp_path):
    def essence(k):
        messages = k.run(SAMPLE)
        texts = {name: printed(messages, name) for name in ("stdout", "stderr")}
        return texts, [(m["msg_type"], m["content"].get("data")) for m in messages if "data" in m["content"]]

    with Kernel(None, tmp_path) as bare:
        assert essence(kernel) == essence(bare)


def test_status_says_that_hooks_are_on_and_when_one_was_removed(tmp_path):
    with Peer() as peer, Kernel(peer, tmp_path) as kernel:
        kernel.run("import qsec_jupyter as qsec")
        shown = kernel.text("print(qsec.status())")
        assert "OFF" not in shown
        kernel.run(
            "from jupyter_client.session import json_packer; get_ipython().kernel.session.pack = json_packer"
        )
        assert "Redaction of messages: OFF: removed since start" in kernel.text("print(qsec.status())")


def test_outside_a_managed_kernel_the_extension_loads_and_says_what_is_missing(tmp_path):
    with Kernel(None, tmp_path) as kernel:
        assert kernel.run("%load_ext qsec_jupyter.kernel.extension")[-1]["content"]["status"] == "ok"
        assert "no channel" in kernel.text("print(__import__('qsec_jupyter').status())")
        messages = kernel.run("import qsec_jupyter as q; q.request('sandbox', reason='r')")
        error = next(m["content"] for m in messages if m["msg_type"] == "error")
        assert error["ename"] == "Unavailable"
        assert len(error["traceback"]) <= 4


def test_magics_answer_with_cards_and_refuse_in_a_few_lines(kernel):
    for line in (
        "grants",
        "targets",
        "status",
        "credential sandbox",
        "request sandbox --reason 'two words' --for 30m",
    ):
        messages = kernel.run(f"%qsec {line}")
        result = next(m for m in messages if m["msg_type"] == "execute_result")
        assert "var(--jp-" in result["content"]["data"]["text/html"]
    assert "--reason" in kernel.text("%qsec request sandbox", "stderr")
    assert "provenance" in kernel.text("%qsec help")
    refused = next(m for m in kernel.run("%qsec request nowhere --reason x") if m["msg_type"] == "error")
    assert "Remedy" in "\n".join(refused["content"]["traceback"])
    assert "File" not in "\n".join(refused["content"]["traceback"])


def test_a_kernel_ends_within_its_time_while_the_control_plane_is_silent(tmp_path):
    with Peer() as peer:
        kernel = Kernel(peer, tmp_path)
        peer.silent.add("record")
        kernel.run(
            "from qsec_jupyter.kernel import execution, channel\nexecution.start(channel.mine, get_ipython())"
        )
        kernel.run("execution.recorder.add({'run_id': 'x', 'kind': 'intent'})")
        began = time.monotonic()
        kernel.__exit__()
        assert time.monotonic() - began < 5


def test_the_private_parts_of_ipykernel_that_we_rely_on_are_there():
    """A canary: these names are ipykernel's own business, and redaction of descriptors hangs on them."""
    import inspect

    from ipykernel.iostream import OutStream

    for name in ("_watch_pipe_fd", "_flush_buffers", "_flush", "_is_master_process"):
        assert hasattr(OutStream, name)
    source = inspect.getsource(OutStream)
    for word in (
        "_original_stdstream_copy",
        "_should_watch",
        "self._fid",
        "_io_loop",
        "for parent, data in self._flush_buffers()",
    ):
        assert word in source


def test_our_modules_import_under_the_interpreter_flags_that_find_bad_habits():
    code = "import qsec_jupyter.kernel.extension, qsec_jupyter.kernel.execution, qsec_jupyter.kernel.magics"
    done = subprocess.run(  # noqa: PLW1510
        [sys.executable, "-W", "error::SyntaxWarning", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    assert done.returncode == 0, done.stderr


def test_a_child_that_writes_to_our_own_stream_is_masked_in_the_servers_log(tmp_path):
    with Peer() as peer, Kernel(peer, tmp_path) as kernel:
        kernel.run(SETUP)
        kernel.run("subprocess.run(['echo', 'just words'], stdout=sys.stdout)")
        kernel.run("subprocess.run(['echo', v], stdout=sys.stdout, stderr=sys.stderr); time.sleep(.3)")
        kernel.run("os.write(sys.stderr.fileno(), v.encode()); time.sleep(.3)")
        log = kernel.log
    text = log.read_text()
    assert "just words" in text
    assert text.count(MARK) == 2
    assert not leaks(text)


@pytest.mark.parametrize(
    "line",
    ["%store v", "%store credential", "%store table", "%store v >there.txt", "%store v[:9] >>there.txt"],
)
def test_store_refuses_what_holds_a_value(kernel, line):
    folder = kernel.log.parent
    messages = kernel.run(f"os.chdir({str(folder)!r}); table = {{'deep': [v]}}\n{line}")
    refused = next(m["content"] for m in messages if m["msg_type"] == "error")
    assert "%store would write a secret to disk" in refused["evalue"]
    assert not (folder / "there.txt").exists()


def test_store_still_stores_what_is_no_secret(kernel):
    kernel.run("harmless = {'a': 1}")
    assert "Stored 'harmless' (dict)" in kernel.text("%store harmless")
    assert kernel.text("del harmless\n%store -r\nprint(harmless)").strip() == "{'a': 1}"


def test_nothing_below_the_ipython_folder_holds_the_value(kernel):
    kernel.run(f"kept = '{VALUE}'\n%store kept")
    kernel.run("get_ipython().history_manager.writeout_cache()")
    files = [path for path in (kernel.log.parent / "ipython").rglob("*") if path.is_file()]
    assert files
    assert not any(VALUE.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize("leave", ["os._exit(0)", "sys.exit()"])
def test_a_childs_last_characters_are_shown_although_they_may_begin_a_value(kernel, leave):
    shown = kernel.text(
        "import multiprocessing as mp\n"
        f"def child():\n    print('x', 'sk-Q', end='')\n    {leave}\n"
        "p = mp.get_context('fork').Process(target=child); p.start(); p.join(); time.sleep(.3)"
    )
    assert shown == "x sk-Q"


def test_log_records_are_masked_also_for_handlers_that_are_added_later(kernel):
    path = kernel.log.parent / "own.log"
    kernel.run(
        f"import logging; h = logging.FileHandler({str(path)!r}); logging.getLogger().addHandler(h)\n"
        "logging.getLogger('qiskit.x').error('a %s', v); logging.getLogger('urllib3').error(v)\n"
        "logging.getLogger().error('Authorization: Bearer 0123456789abcdef')"
    )
    text = path.read_text()
    assert not leaks(text)
    assert "0123456789abcdef" not in text
    assert text.count(MARK) == 2


def test_completions_are_masked(kernel):
    kernel.run("table = {v: 1}")
    content = kernel.reply(kernel.client.complete("table['", 7))["content"]
    assert content["status"] == "ok"
    assert not leaks(everything([{"content": content}]))


def test_a_message_that_user_code_packed_itself_is_masked(kernel):
    messages = kernel.run(
        "import json; s = get_ipython().kernel.session\n"
        "m = s.msg('display_data', parent=get_ipython().parent_header)\n"
        "m['content'] = json.dumps({'data': {'text/plain': v}, 'metadata': {}}).encode()\n"
        "s.send(get_ipython().kernel.iopub_socket, m);"
    )
    shown = next(m["content"] for m in messages if m["msg_type"] == "display_data")
    assert shown["data"]["text/plain"] == MARK


def test_a_large_display_is_masked_and_arrives_whole(kernel):
    messages = kernel.run("big = 'word ' * 600_000; display({'text/plain': big + v + big}, raw=True)")
    shown = next(m["content"] for m in messages if m["msg_type"] == "display_data")["data"]["text/plain"]
    assert shown == "word " * 600_000 + MARK + "word " * 600_000


def test_a_subshells_output_is_masked(kernel):
    client = kernel.client
    client.control_channel.send(client.session.msg("create_subshell_request"))
    subshell = client.get_control_msg(timeout=20)["content"]["subshell_id"]
    code = "for c in v: print(c, end='')\nv"
    request = client.session.msg("execute_request", {"code": code, "silent": False, "store_history": True})
    request["header"]["subshell_id"] = subshell
    client.shell_channel.send(request)
    shown = []
    while not (shown and shown[-1]["content"].get("execution_state") == "idle"):
        message = client.get_iopub_msg(timeout=20)
        if message["parent_header"].get("msg_id") == request["header"]["msg_id"]:
            shown.append(message)
    kernel.reply(request["header"]["msg_id"])
    assert printed(shown) == MARK
    assert not leaks(everything(shown))


def test_a_value_that_a_thread_prints_while_others_print_is_masked(kernel):
    shown = kernel.text(
        "def say():\n    for c in v: sys.stdout.write(c); time.sleep(.001)\n"
        "def err():\n    for c in v[::-1]: sys.stderr.write(c); time.sleep(.001)\n"
        "ts = [threading.Thread(target=t) for t in (say, err)]\n"
        "[t.start() for t in ts]; [t.join() for t in ts]"
    )
    assert shown == MARK


def test_what_a_debugger_is_told_is_masked(kernel):
    def asked(command, **arguments):
        content = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
        channel = kernel.client.control_channel
        channel.send(kernel.client.session.msg("debug_request", content))
        return everything([channel.get_msg(timeout=30)])

    asked("initialize", clientID="t", adapterID="", pathFormat="path", linesStartAt1=True)
    asked("attach")
    for shown in (asked("inspectVariables"), asked("richInspectVariables", variableName="v")):
        assert MARK in shown
        assert not leaks(shown)
    asked("disconnect", restart=False, terminateDebuggee=True)


def test_a_prompt_that_holds_the_value_is_masked(kernel):
    wanted = kernel.client.execute("answer = input('give ' + v); print(len(answer))", allow_stdin=True)
    asked = kernel.client.get_stdin_msg(timeout=20)
    assert asked["content"]["prompt"] == f"give {MARK}"
    kernel.client.input(VALUE)
    kernel.reply(wanted)
    assert not leaks(everything(kernel.run("print(answer)")))


def test_a_value_of_under_8_characters_is_refused_with_a_warning(tmp_path):
    with Peer("seven77") as peer, Kernel(peer, tmp_path) as short:
        shown = short.run(SETUP)
        assert "The credential for sandbox is too short to be recognised; it is NOT redacted." in printed(
            shown, "stderr"
        )
        assert short.text("print(v)") == "seven77\n"  # a masked word this short would mangle everything
