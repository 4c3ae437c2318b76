"""report.html: one file that needs nothing else, and what a reader can do with it."""

import json
import re

import pytest

from fastmlp.pages.charts import Chart, Control, Panel, powers
from fastmlp.pages.document import PageFigure, PageSection, from_markdown, to_html
from tests.experiments.runs import quick_run

from .browser import PHONE

LIMIT = 2_000_000  # bytes


def report(question):
    return quick_run(question)[0] / "report.html"


@pytest.mark.parametrize("question", ["q1", "q2"])
def test_a_report_is_one_file(question):
    page = report(question).read_text()
    results = json.loads(report(question).with_name("results.json").read_text())
    assert len(page.encode()) < LIMIT
    assert "default-src 'none'" in page
    ours = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", ours)
    assert f"python -m fastmlp.experiments {question} --dataset digits" in page
    assert results["versions"]["numpy"] in page
    assert "report.html" in results["files"]
    for statement in results["statements"]:
        lead = re.match(r"\*\*(.+?)\*\*", statement["text"])
        if lead:
            assert from_markdown(lead[0]).strip()[3:-4] in page


def test_the_claims_stand_beside_what_was_measured():
    words = report("q1").read_text()
    assert re.search(r"<th[^>]*>the report's claim</th>", words.replace("&#x27;", "'"))
    assert "tanh vanishes with 14 hidden layers" in words
    assert "times too small" in words


def test_what_a_chart_holds_is_safe_in_a_script():
    panel = Panel("</script><b>", {"mark": "point"}, [{"x": float("nan"), "y": 1 / 3}])
    text = Chart([panel], [Control("depth", "layers", [1, 2], 1)]).to_json()
    assert "<" not in text
    assert json.loads(text)["panels"][0]["rows"] == [[None, 0.33333]]


def test_html_in_words_stays_words():
    section = PageSection("a < b", from_markdown("<b>bold</b> | 1"))
    page = to_html("<i>", "", [section])
    assert "<b>bold" not in page
    assert "<i>" not in page
    assert "<script" not in page  # no figure, no script


def test_a_logarithmic_axis_has_powers_of_ten():
    made = powers("x", "x", [3e-9, 0.0, 20.0, float("inf")])
    assert made["scale"]["domain"] == pytest.approx([1e-9, 100])
    assert all(f"{tick:.0e}".startswith("1e") for tick in made["axis"]["values"])
    assert powers("x", "x", [])["scale"]["domain"] == [1, 10]


def test_a_picture_is_in_the_page():
    page = to_html("t", "", [PageSection("s", "", [PageFigure("f", 'a "b"', b"\x89PNG")])])
    assert '<img alt="a &quot;b&quot;" src="data:image/png;base64,iVBORw==">' in page


def drawn(opened, path, *where):
    watched = opened(path.as_uri(), *where)
    watched.until("document.documentElement.dataset.drawn")
    return watched


def test_a_reader_can_slide_tick_click_and_read(opened):
    watched = drawn(opened, report("q1"))
    page = watched.page
    points = """document.querySelectorAll('#figure-patients_gradients .view')[0]
        .querySelectorAll("path[aria-roledescription='point']").length"""
    before = page.evaluate(points)
    page.locator("#figure-patients_gradients").get_by_label("hidden layers").focus()
    page.keyboard.press("Home")  # one hidden layer: two layers of weights
    watched.until(f"{points} < {before}")
    map_figure = page.locator("#figure-depth_map")
    map_figure.get_by_label("tanh", exact=True).uncheck()
    assert not map_figure.get_by_role("heading", name="tanh").is_visible()
    map_figure.locator("[aria-label^='hidden layers: 3;']").last.click(force=True)
    watched.until("document.querySelector('#figure-depth_map output').textContent === '3'")
    assert map_figure.get_by_label("curves of").input_value() == "ReLU"
    map_figure.locator("summary").click()
    watched.until("document.querySelectorAll('#figure-depth_map tbody tr').length > 50")
    assert not watched.errors
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []


def test_what_is_printed_is_drawn_whether_it_was_on_the_screen_or_not(opened):
    panel = Panel("", {"mark": "point", "encoding": {"x": {"field": "x"}}}, [{"x": 1}])
    figures = [PageFigure(f"f{number}", "", Chart([panel])) for number in range(30)]
    watched = opened("about:blank")
    page = watched.page
    page.add_init_script("window.requestIdleCallback = () => {}")  # nobody has time to draw
    text = to_html("t", "", [PageSection("s", "", figures)])
    page.route("http://report/", lambda route: route.fulfill(body=text, content_type="text/html"))
    page.goto("http://report/")
    watched.until("document.querySelectorAll('.view svg').length > 0")
    assert page.locator(".view svg").count() < 30
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".view svg").count() == 30
    assert not watched.errors


@pytest.mark.parametrize(("question", "scheme"), [("q1", "dark"), ("q2", "light")])
def test_axe_and_a_phone(opened, question, scheme):
    watched = drawn(opened, report(question), PHONE, scheme)
    assert not watched.overflows()
    assert watched.serious() == []
    assert not watched.errors
