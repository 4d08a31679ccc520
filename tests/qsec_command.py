"""The `qsec` command, as somebody runs it in a folder and an account of its own."""

import subprocess
import sys


def account_in(folder):
    """Make a folder ``work`` in an account's home, and return its environment; it has no keyring."""
    (folder / "work").mkdir()
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "QSEC_HOME": str(folder / "qsec"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


def command_in(folder, environ):
    """Return a call of `qsec` that works in ``folder``/work, which is there."""

    def command(*arguments, said=None, **more):
        return subprocess.run(
            [sys.executable, "-m", "qsec_jupyter.cli", *arguments],
            check=False,
            cwd=folder / "work",
            env={**environ, **more},
            input=said,
            stdin=subprocess.DEVNULL if said is None else None,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return command
