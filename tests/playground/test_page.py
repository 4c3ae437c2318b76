"""The live page in a real browser, and who may talk to its server."""

import contextlib
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.pages.browser import DESK, PHONE, Watched, browser, needs_browser

WAIT = 30_000  # milliseconds


@pytest.fixture(scope="module")
def address():
    command = [sys.executable, "-m", "fastmlp.playground", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield re.search(r"http://\S+/", server.stdout.readline())[0]
        finally:
            server.terminate()


def opened(running, address, viewport=DESK, scheme="light"):
    page = running.new_page(viewport=viewport, color_scheme=scheme)
    watched = Watched(page)
    page.goto(address)
    page.wait_for_selector(".net .state:not(:empty)", timeout=WAIT)
    return watched


def steps(page):
    said = re.search(r"step ([\d,]+)", page.locator(".state").first.inner_text())
    return int(said[1].replace(",", "")) if said else 0


def until(page, condition):
    """Wait for what JavaScript says; ``wait_for_function`` would need what the page forbids."""
    for _ in range(WAIT // 20):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(condition)


def wait_for_steps(page, count):
    for _ in range(WAIT // 20):
        if steps(page) > count:
            return
        page.wait_for_timeout(20)
    raise AssertionError(page.locator(".state").first.inner_text())


def test_only_this_machine_and_this_page_are_served(address):
    live = address.replace("http", "ws") + "live"
    with connect(live, origin=address.rstrip("/")) as socket:
        assert "welcome" in socket.recv(timeout=30)
    with pytest.raises(InvalidStatus):
        connect(live, origin="http://example.com")
    stranger = urllib.request.Request(address, headers={"Host": "example.com"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(stranger)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address + "app.py")
    with urllib.request.urlopen(address) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@needs_browser
def test_two_tabs_train_by_keyboard_and_a_bad_link_is_told(address):
    with browser() as running:
        one = opened(running, address + "?data=moons&hidden=6:tanh&epochs=10000")
        one.page.locator(".train").focus()
        one.page.keyboard.press("Enter")
        wait_for_steps(one.page, 50)
        two = opened(running, address + "?data=moons&rate=fast&epochs=9")
        assert "rate: expected a number" in two.page.locator("#message").inner_text()
        two.page.get_by_role("button", name="Train").click()
        until(two.page, "document.querySelector('.state').textContent.startsWith('done')")
        two.page.close()
        wait_for_steps(one.page, steps(one.page))  # the other tab goes on
        one.page.get_by_label("hidden layers").focus()
        one.page.keyboard.press("ArrowRight")  # another net, which trains at once
        until(one.page, "document.querySelectorAll('.numbers tbody tr').length === 3")
        wait_for_steps(one.page, 50)
        one.page.get_by_role("button", name="Pause").click()
        until(one.page, "document.querySelector('.train').textContent === 'Go on'")
        assert "hidden=6:tanh,6:tanh" in one.page.url
        assert one.page.locator(".diagnosis li").count() > 0
        before = steps(one.page)
        one.page.get_by_role("button", name="Step").click()
        wait_for_steps(one.page, before)
        assert steps(one.page) == before + 1
        assert not one.errors
        assert not two.errors


@needs_browser
def test_a_dropped_table_trains_and_two_nets_stand_side_by_side(address):
    rows = "\n".join(f"{i % 7},{i % 5},{'even' if i % 2 == 0 else 'odd'}" for i in range(200))
    drop = """rows => {
        const data = new DataTransfer();
        data.items.add(new File([rows], "own.csv", { type: "text/csv" }));
        window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    }"""
    with browser() as running:
        watched = opened(running, address + "?epochs=30")
        page = watched.page
        page.evaluate(drop, "1,2\n3,4")
        until(page, "document.getElementById('message').textContent.includes('at least 10 rows')")
        page.evaluate(drop, rows)
        until(page, "document.getElementById('note').textContent.includes('200 rows')")
        page.get_by_label("two nets").check()
        until(page, "document.querySelectorAll('.net .state:not(:empty)').length === 2")
        for button in page.get_by_role("button", name="Train").all():
            button.click()
        until(
            page,
            "[...document.querySelectorAll('.state')].every(s => s.textContent.startsWith('done'))",
        )
        assert "&b=" in page.url
        assert "read_csv" in page.locator(".code code").first.text_content()
        assert not watched.errors


@needs_browser
@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")])
def test_axe_finds_nothing_serious(address, viewport, scheme):
    with browser() as running:
        watched = opened(running, address + "?data=digits&epochs=3", viewport, scheme)
        watched.page.get_by_role("button", name="Train").click()
        until(watched.page, "document.querySelector('.state').textContent.startsWith('done')")
        for summary in watched.page.locator("details:not([open]) > summary").all():
            with contextlib.suppress(Exception):
                summary.click(timeout=1000)
        assert watched.serious() == []
        assert not watched.overflows()
        assert not watched.errors
