"""The pages as their readers have them: ``python -m bench.pages [--count N] [REPORT ...]``.

Opens reports from disk, and the live page, in a headless Chromium; prints how long what one waits
for takes, how many updates a second arrive, and how fast the engine is meanwhile, beside the same
fit that nobody watches.  The page, its server and the browser share the cores of this machine.
Changes no file.
"""

import argparse
import contextlib
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.playground_fit import WATCHED
from tests.pages.browser import DESK, browser

WANTED = re.compile(r"http://\S+/")

# Resolves to the milliseconds from what is done to the first picture after the text of the state
# matches: that text is written in the same go as the plots.
_UNTIL_DRAWN = """([act, pattern]) => new Promise((resolve) => {
  const state = document.querySelector(".state");
  const started = performance.now();
  const seen = new MutationObserver(() => {
    if (!new RegExp(pattern).test(state.textContent)) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
  });
  seen.observe(state, { childList: true, characterData: true, subtree: true });
  if (act === "train") {
    document.querySelector(".train").click();
  } else {
    const depth = document.querySelector("[name=depth]");
    depth.value = act;
    depth.dispatchEvent(new Event("input", { bubbles: true }));
  }
})"""
_STARTED = "step [1-9]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="*", type=Path, metavar="REPORT")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of watching")
    arguments = parser.parse_args()
    with browser() as running:
        for path in arguments.reports:
            report(running, path.resolve(), arguments.count)
        if not arguments.reports:
            live(running, arguments.count, arguments.seconds)


def told(what: str, values: list[float], unit: str) -> None:
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{what}: {middle:,.4g} {unit} ({low:,.4g} to {high:,.4g}, {len(values)} times)")


def report(running: Any, path: Path, count: int) -> None:
    """Print how long a report takes to be read, its first screen to be drawn, and all of it."""
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    paint, screen, whole = [], [], []
    for _ in range(count):
        page = running.new_page(viewport=DESK)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        named = page.evaluate(
            "Object.fromEntries(['paint', 'mark'].flatMap((kind) => performance"
            ".getEntriesByType(kind).reverse().map((one) => [one.name, one.startTime])))"
        )
        paint.append(named["first-contentful-paint"])
        screen.append(named["screen-drawn"])
        whole.append(named["all-drawn"])
        page.close()
    told("  the text is there", paint, "ms")
    told("  the figures of the first screen are", screen, "ms")
    told("  all figures are", whole, "ms")


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Serve the live page meanwhile; yield its address."""
    command = [sys.executable, "-m", "fastmlp.playground", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if found := WANTED.search(line):
                    yield found[0]
                    break
        finally:
            server.terminate()


def live(running: Any, count: int, seconds: float) -> None:
    """Print what the live page takes for."""
    with served() as address:
        page = opened(running, f"{address}?{WATCHED}")
        waits = []
        for _ in range(count):
            waits.append(page.evaluate(_UNTIL_DRAWN, ["train", _STARTED]))
            page.get_by_role("button", name="Reset").click()
        told("from Train to the first moving plot of a net of 4 layers", waits, "ms")
        page.close()

        page = opened(running, f"{address}?data=fashion-mnist&hidden=10:relu,10:relu&epochs=1")
        page.evaluate(_UNTIL_DRAWN, ["train", "^done"])
        waits = []
        for number in range(count):
            waits.append(page.evaluate(_UNTIL_DRAWN, [str(3 + number), "^done"]))
        told("another depth, and an epoch of Fashion-MNIST", waits, "ms")
        page.close()

        alone, watched = [], []
        updates: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(count):
            alone.append(unwatched(seconds))
            page = opened(running, f"{address}?{WATCHED}")
            rate, steps = rates(page, seconds)
            updates[1].append(rate)
            watched.append(steps)
            page.get_by_label("two nets").check()
            page.locator(".net").nth(1).get_by_role("button", name="Train").click()
            updates[2].append(rates(page, seconds)[0] / 2)
            page.close()
        told("updates a second", updates[1], "")
        told("updates a second of each of two nets", updates[2], "")
        told("steps a second, unwatched", alone, "")
        told("steps a second, on the page", watched, "")
        told("their ratio", [b / a for a, b in zip(alone, watched, strict=True)], "")


def opened(running: Any, address: str) -> Any:
    page = running.new_page(viewport=DESK)
    page.goto(address)
    page.wait_for_selector(".net .state:not(:empty)")
    return page


def rates(page: Any, seconds: float) -> tuple[float, float]:
    """Return how many updates arrive a second, and how many steps the first net takes."""
    if page.locator(".train").first.inner_text() == "Train":
        page.evaluate(_UNTIL_DRAWN, ["train", _STARTED])
    page.wait_for_timeout(1000)
    look = """() => [Number(document.documentElement.dataset.frames), performance.now() / 1000,
        Number(/step ([\\d,]+)/.exec(document.querySelector(".state").textContent)[1]
          .replaceAll(",", ""))]"""
    before = page.evaluate(look)
    page.wait_for_timeout(1000 * seconds)
    frames, now, steps = (b - a for a, b in zip(before, page.evaluate(look), strict=True))
    return frames / now, steps / now


def unwatched(seconds: float) -> float:
    """Return how many steps a second the same fit takes in a process of its own."""
    command = [sys.executable, "-m", "bench.playground_fit", str(seconds)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
