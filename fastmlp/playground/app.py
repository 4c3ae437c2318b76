"""The server of the page: its files, and a web socket for each tab."""

import asyncio
import json
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from .. import initializers
from . import data
from .configuration import ACTIVATIONS, MOST_LAYERS, MOST_UNITS, OPTIMIZERS, SCHEDULES
from .session import Session

HOSTS = ("127.0.0.1", "localhost", "[::1]")
MOST_SESSIONS = 16
MOST_BYTES = 2 * data.MOST_BYTES + 10_000  # of a message: a table, as JSON writes it

_FILES = {
    "": ("fastmlp.playground", "static/index.html", "text/html"),
    "playground.css": ("fastmlp.playground", "static/playground.css", "text/css"),
    "playground.js": ("fastmlp.playground", "static/playground.js", "text/javascript"),
    "net.js": ("fastmlp.playground", "static/net.js", "text/javascript"),
    "draw.js": ("fastmlp.playground", "static/draw.js", "text/javascript"),
    "theme.css": ("fastmlp.pages", "static/theme.css", "text/css"),
    "uPlot.js": ("fastmlp.pages", "vendor/uPlot.iife.min.js", "text/javascript"),
    "uPlot.css": ("fastmlp.pages", "vendor/uPlot.min.css", "text/css"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def make_app() -> Starlette:
    """Return the server; it answers only to names of this machine."""
    app = Starlette(
        routes=[
            WebSocketRoute("/live", _live),
            Route("/{name:path}", _file),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
    )
    app.state.sessions = 0
    return app


async def _file(request: Request) -> Response:
    found = _FILES.get(request.path_params["name"])
    if found is None:
        return PlainTextResponse("not found", status_code=404, headers=_HEADERS)
    package, name, kind = found
    content = (resources.files(package) / name).read_bytes()
    return Response(content, media_type=f"{kind}; charset=utf-8", headers=_HEADERS)


async def _live(socket: WebSocket) -> None:
    """Serve a tab until it closes."""
    state = socket.app.state
    if not _is_own(socket):  # a page of another site must not use what runs here
        await socket.close(1008, "another origin")
        return
    await socket.accept()
    if state.sessions >= MOST_SESSIONS:
        message = f"{MOST_SESSIONS} tabs are open already: close one, and load this page again."
        await socket.send_text(json.dumps({"type": "refused", "net": "", "message": message}))
        await socket.close(1013)
        return
    state.sessions += 1
    session = Session(asyncio.get_running_loop())
    try:
        await socket.send_text(json.dumps({"type": "welcome", "choices": _choices()}))
        await _talk(socket, session)
    finally:
        state.sessions -= 1
        await session.close()


def _is_own(socket: WebSocket) -> bool:
    origin, host = socket.headers.get("origin"), socket.headers.get("host", "")
    return origin in (None, f"http://{host}")


async def _talk(socket: WebSocket, session: Session) -> None:
    """Receive and send, until one of the two ends."""
    tasks = [asyncio.create_task(one(socket, session)) for one in (_receive, _send)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _receive(socket: WebSocket, session: Session) -> None:
    try:
        while True:
            await session.receive(await socket.receive_text())
    except (WebSocketDisconnect, KeyError):  # KeyError: bytes, which the page never sends
        return


async def _send(socket: WebSocket, session: Session) -> None:
    try:
        while True:
            await socket.send_text(await session.next())
    except (WebSocketDisconnect, RuntimeError):
        return


def _choices() -> dict[str, Any]:
    return {
        "data": data.NAMES, "activation": ACTIVATIONS, "init": initializers.NAMES,
        "optimizer": list(OPTIMIZERS), "schedule": SCHEDULES,
        "layers": MOST_LAYERS, "units": MOST_UNITS, "bytes": data.MOST_BYTES,
    }  # fmt: skip
