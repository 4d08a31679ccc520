"""A Jupyter Server with jupyter-collaboration that lives for one story, in that package's environment."""

import asyncio
import json
import sys

from jupyter_server.serverapp import ServerApp

EXTENSIONS = ("qsec_jupyter.server", "jupyter_server_ydoc", "jupyter_server_fileid")


def tell(story, folder, seconds, argv, prepare=None, **options):
    """Start a server, and print as one JSON object what ``story(app)`` returns within so long.

    ``prepare(app)`` is called before it serves.
    """
    app = ServerApp(
        root_dir=str(folder), port=0, open_browser=False, allow_root=True, log_level="WARN",
        jpserver_extensions=dict.fromkeys(EXTENSIONS, True), **options,
    )  # fmt: skip
    app.initialize(argv=argv)
    if prepare is not None:
        prepare(app)
    app.io_loop.add_callback(_tell, app, story, seconds)
    app.start()


async def _tell(app, story, seconds):
    try:
        told = await asyncio.wait_for(story(app), seconds)
    except BaseException as error:
        sys.stdout.write(json.dumps({"failed": repr(error)}) + "\n")
        raise
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    app.stop(from_signal=False)
