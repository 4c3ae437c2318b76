"""The live page in a real browser, and who may talk to its server."""

import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.pages.browser import DESK, PHONE

STATE = "document.querySelector('.state').textContent"
STEPS = f"Number((/step ([\\d,]+)/.exec({STATE}) ?? ['', '0'])[1].replaceAll(',', ''))"


@pytest.fixture(scope="module")
def address():
    command = [sys.executable, "-m", "fastmlp.playground", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield next(filter(None, (re.search(r"http://\S+/", s) for s in server.stdout)))[0]
        finally:
            server.terminate()


def ready(opened, *where):
    watched = opened(*where)
    watched.until("document.querySelector('.net .state:not(:empty)')")
    return watched


def steps(watched):
    return watched.page.evaluate(STEPS)


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


def test_two_tabs_train_by_keyboard_and_a_bad_link_is_told(address, opened):
    one = ready(opened, address + "?data=moons&hidden=6:tanh&epochs=10000&batch=1")
    one.page.locator(".train").focus()
    one.page.keyboard.press("Enter")
    one.until(f"{STEPS} > 50")
    two = ready(opened, address + "?data=moons&rate=fast&epochs=9")
    assert "rate: expected a number" in two.page.locator("#message").inner_text()
    two.page.get_by_role("button", name="Train").click()
    two.until(f"{STATE}.startsWith('done')")
    two.page.close()
    one.page.bring_to_front()
    one.until(f"{STEPS} > {steps(one)}")  # the other tab goes on
    one.page.get_by_label("hidden layers").focus()
    one.page.keyboard.press("ArrowRight")  # another net, which trains at once
    one.until("document.querySelectorAll('.numbers tbody tr').length === 3")
    one.until(f"{STEPS} > 50")
    one.page.get_by_role("button", name="Pause").click()
    one.until("document.querySelector('.train').textContent === 'Go on'")
    assert "hidden=6:tanh,6:tanh" in one.page.url
    assert one.page.locator(".diagnosis li").count() > 0
    before = steps(one)
    one.page.get_by_role("button", name="Step").click()
    one.until(f"{STEPS} > {before}")
    assert steps(one) == before + 1
    assert not one.errors
    assert not two.errors


def test_a_dropped_table_trains_and_two_nets_stand_side_by_side(address, opened):
    rows = "\n".join(f"{i % 7},{i % 5},{'even' if i % 2 == 0 else 'odd'}" for i in range(200))
    drop = """rows => {
        const data = new DataTransfer();
        data.items.add(new File([rows], "own.csv", { type: "text/csv" }));
        window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    }"""
    watched = ready(opened, address + "?epochs=30")
    page = watched.page
    page.evaluate(drop, "1,2\n3,4")
    watched.until("document.getElementById('message').textContent.includes('at least 10 rows')")
    page.evaluate(drop, rows)
    watched.until("document.getElementById('note').textContent.includes('200 rows')")
    page.get_by_label("two nets").check()
    watched.until("document.querySelectorAll('.net .state:not(:empty)').length === 2")
    page.get_by_role("button", name="Train both").click()
    done = "[...document.querySelectorAll('.state')].every(s => s.textContent.startsWith('done'))"
    watched.until(done)
    page.get_by_label("hidden layers").first.focus()
    page.keyboard.press("ArrowRight")  # a net that was done trains anew when it is changed
    watched.until(f"document.querySelectorAll('.numbers tbody tr').length === 7 && {done}")
    assert "&b=" in page.url
    assert "read_csv" in page.locator(".code code").first.text_content()
    assert not watched.errors


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESK, "light")])
def test_axe_finds_nothing_serious(address, opened, viewport, scheme):
    watched = ready(opened, address + "?data=digits&epochs=3", viewport, scheme)
    watched.page.get_by_role("button", name="Train").click()
    watched.until(f"{STATE}.startsWith('done')")
    watched.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert watched.serious() == []
    assert not watched.overflows()
    assert not watched.errors
