"""The command line: ``python -m fastmlp.playground [--port N] [--no-browser]``."""

import argparse
import importlib.util
import socket
import threading
import webbrowser

from rich.console import Console

from .. import backends
from ..warmup import warm_up

HOST = "127.0.0.1"
NEEDED = ("starlette", "uvicorn", "websockets", "scipy", "sklearn")


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until Ctrl-C; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fastmlp.playground",
        description="A page on which nets are put together, and watched while they train. It is "
        "served on this machine alone.",
    )
    parser.add_argument("--port", type=_port, default=0, help="default: any that is free")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    chosen = parser.parse_args(arguments)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        parser.error(
            f"the page needs {', '.join(missing)}; pip install 'fastmlp[playground]' brings them"
        )
    console = Console(highlight=False)
    if backends.resolve("auto") == "numba":
        warm_up("numba", ("float32",), console=console)
    try:
        listening = _listening(chosen.port)
    except OSError as reason:
        parser.error(f"--port: {chosen.port} cannot be had: {reason}")
    address = f"http://{HOST}:{listening.getsockname()[1]}/"
    console.print(f"The playground is at {address} (Ctrl-C ends it)", soft_wrap=True)
    if not chosen.no_browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    serve(listening)
    return 0


def serve(listening: socket.socket) -> None:
    """Serve the page on a socket until Ctrl-C."""
    import uvicorn

    from .app import MOST_BYTES, make_app

    settings = uvicorn.Config(
        make_app(), log_level="warning", ws="websockets-sansio", ws_max_size=MOST_BYTES,
        ws_max_queue=32, timeout_graceful_shutdown=2,
    )  # fmt: skip
    uvicorn.Server(settings).run(sockets=[listening])


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
        made.listen(128)  # from here on a browser is answered, if not at once
    except OSError:
        made.close()
        raise
    return made


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, got {text}")
    return int(text)
