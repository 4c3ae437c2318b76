"""A headless Chromium for the tests: that of the system, as Playwright would download its own.

Nothing here sleeps or measures time: what is waited for is told by the page itself, and ``WAIT`` is
only how long a hung page holds up the tests.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-dev-shm-usage",
]  # fmt: skip
PHONE = {"width": 390, "height": 800}
DESK = {"width": 1200, "height": 900}
WAIT = 120_000  # milliseconds

_UNTIL = """() => new Promise((resolve, reject) => {
  const holds = () => %s;
  const seen = new MutationObserver(() => { if (holds()) end(resolve); });
  const late = setTimeout(() => end(reject, new Error("never")), %d);
  const end = (act, value) => { seen.disconnect(); clearTimeout(late); act(value); };
  seen.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  if (holds()) end(resolve);
})"""


def chromium() -> str | None:
    found = [os.environ.get("FASTMLP_CHROMIUM"), *map(shutil.which, NAMES)]
    return next((path for path in found if path), None)


class Watched:
    """A page, with all that went wrong on it."""

    def __init__(self, page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def until(self, condition: str) -> None:
        """Wait for what JavaScript says, which is asked at each change of the document.

        Playwright's ``wait_for_function`` needs ``eval``, which the live page forbids.
        """
        try:
            self.page.evaluate(_UNTIL % (condition, WAIT))
        except Exception as reason:
            raise AssertionError(f"{condition}: {reason}; errors: {self.errors}") from None

    def serious(self) -> list[str]:
        """Return what axe-core finds serious or worse."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [
            f"{v['id']}: {v['nodes'][0]['html'][:200]}"
            for v in found
            if v["impact"] in ("serious", "critical")
        ]

    def overflows(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"))


@contextlib.contextmanager
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium(), args=ARGUMENTS, timeout=WAIT
        )
        try:
            yield running
        finally:
            running.close()


@pytest.fixture(scope="module")
def running():
    if chromium() is None:
        pytest.skip("no Chromium is installed: how a page behaves is not tested")
    with browser() as started:
        yield started


@pytest.fixture
def opened(running):
    """Open an address in a tab that shares nothing with others, and is closed after the test."""
    contexts = []

    def open_one(address, viewport=DESK, scheme="light"):
        context = running.new_context(viewport=viewport, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(WAIT)
        watched = Watched(context.new_page())
        watched.page.goto(address)
        return watched

    yield open_one
    for context in contexts:
        context.close()
