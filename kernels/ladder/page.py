"""The ladders as one page: source and machine code side by side, and the roofline."""

import functools
import html
import math
import platform
import statistics

import numba
import numpy as np
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from ... import __version__
from ...pages.charts import Chart, Key, Panel, axis, colours, shapes, tooltip
from ...pages.document import PageFigure, PageSection, command, facts, to_html
from . import show
from .machine import core, cpu, vector_bytes
from .machine_code import compile_anew, count, inner_loop
from .measure import Limits, arguments_for, is_numba
from .plot import Found, Roofs
from .step import Ladder, Step

_COLOURS = {"forward": "blue", "update": "red", "sigmoid": "green"}
_SHAPES = {"forward": "circle", "update": "square", "sigmoid": "triangle-up"}
_STYLE = """
.code .k, .code .kd, .code .kn, .code .kr, .code .kt, .code .nt { color: var(--link); font-weight: 600; }
.code .s, .code .s1, .code .s2, .code .sd { color: var(--good); }
.code .c, .code .c1, .code .cm { color: var(--muted); font-style: italic; }
.code .nf, .code .nl { font-weight: 600; }
.counts td, .counts th { padding: .1rem .8rem .1rem 0; }
"""  # noqa: E501


def page(
    found: Found, peers: dict[str, list[float]], typed: str, roofs: Roofs | None = None
) -> str:
    """Return the page; the roofs are measured now unless they are given.

    Parameters
    ----------
    found : dict
        The measured ladders, with their limits and rates.
    peers : dict
    typed : str
        The command's arguments.
    roofs : Roofs, optional
    """
    highest = functools.reduce(Limits.or_higher, (limits for _, limits, _ in found.values()))
    roofs = roofs or Roofs.measured(highest)
    sections = [PageSection("The roofline", "", [_roofline(found, roofs)])]
    sections += [
        PageSection(ladder.title, _ladder(name, ladder, limits, rates, peers))
        for name, (ladder, limits, rates) in found.items()
    ]
    sections.append(PageSection("How this was made", _origin(typed)))
    preface = (
        "<p>From the naive loop to the shipped kernel: each step&#39;s idea, source and machine "
        "code, and its rate on this machine, of one core.</p>"
    )
    return to_html("The kernel ladders of fastmlp", preface, sections, style=_STYLE)


def _origin(typed: str) -> str:
    return command(f"python -m fastmlp.kernels {typed}".rstrip()) + facts(
        {
            "machine": f"{cpu()}, {core()}, vectors of {vector_bytes()} bytes, "
            f"{platform.platform()}",
            "versions": f"fastmlp {__version__}, python {platform.python_version()}, "
            f"numpy {np.__version__}, numba {numba.__version__}",
        }
    )


def _ladder(
    name: str,
    ladder: Ladder,
    limits: Limits,
    rates: list[list[float]],
    peers: dict[str, list[float]],
) -> str:
    columns = show.rates_columns(name, ladder)
    rows = show.rates_rows(name, ladder, rates, limits, peers)
    above = show.above_the_roof(ladder, rates, limits, show.peers_of(name, ladder, peers))
    parts = [
        f"<p><em>{html.escape(ladder.question)}</em></p>",
        _table(columns, rows),
        f"<p>{html.escape(show.limits_line(limits))} {html.escape(above)}</p>",
    ]
    for number, (step, own) in enumerate(zip(ladder.steps, rates, strict=True), 1):
        parts.append(_step(number, name, ladder, step, statistics.median(own), limits))
    return "\n".join(parts)


def _step(number: int, name: str, ladder: Ladder, step: Step, rate: float, limits: Limits) -> str:
    rejected = f"<p><strong>Rejected:</strong> {html.escape(step.rejected)}</p>"
    return (
        f"<h3>{number} {name}/{step.name}: {rate:.3g} {ladder.unit}</h3>"
        f"<p>{html.escape(step.idea)} <span class='verdict'>"
        f"{html.escape(limits.verdict(step, rate))}</span></p>"
        f"{rejected if step.rejected else ''}"
        f"<div class='side'><div><h4>Source</h4>"
        f"{_code(step.source, 'c' if step.c_source else 'python')}</div>"
        f"<div><h4>Machine code, the inner loop</h4>{_machine_code(ladder, step)}</div></div>"
    )


def _machine_code(ladder: Ladder, step: Step) -> str:
    if not is_numba(step.kernel):
        return "<p>It is not compiled by Numba, which alone is asked for its machine code.</p>"
    code = compile_anew(step.kernel, arguments_for(ladder, np.float32, ladder.sizes))["asm"]
    loop = inner_loop(code, "asm")
    inside, whole = count(loop), count("\n".join(code).splitlines())
    rows = [[kind, str(inside[kind]), str(whole[kind])] for kind in whole]
    return _code("\n".join(loop), "gas") + (
        "<details><summary>Instructions (x86-64), counted</summary>"
        f"{_table(['', 'inner loop', 'all of it'], rows)}</details>"
    )


def _code(text: str, lexer: str) -> str:
    made = highlight(text, get_lexer_by_name(lexer), HtmlFormatter(nowrap=True))
    return f'<pre class="code" tabindex="0"><code>{made}</code></pre>'


def _table(columns: list[str], rows: list[list[str]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in others)
        + "</tr>"
        for first, *others in rows
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table class="counts">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _roofline(found: Found, roofs: Roofs) -> PageFigure:
    rows = [
        {
            "ladder": name, "step": step.name, "number": number,
            "intensity": step.flops / step.loads, "rate": step.flops * statistics.median(own),
            "rejected": step.rejected or "no",
        }
        for name, (ladder, _, rates) in found.items()
        for number, (step, own) in enumerate(zip(ladder.steps, rates, strict=True), 1)
        if not step.c_source
    ]  # fmt: skip
    places = [row["intensity"] for row in rows]
    low, high = min(places) / 2.5, 4 * max(places)
    peak = max(roofs.levels.values())
    lines = [
        {"roof": f"{place}: {speed:.0f} GB/s", "intensity": at, "rate": min(peak, speed * at)}
        for place, speed in roofs.slopes.items()
        for at in sorted((low, min(max(low, peak / speed), high), high))
    ]
    lines += [
        {"roof": f"{what}: {flops:.3g} GFLOP/s", "intensity": at, "rate": flops}
        for what, flops in roofs.levels.items()
        for at in (low, high)
    ]
    # Where a roof's name is written.
    lines += [
        {
            "name": f"{place}: {speed:.0f} GB/s",
            "side": "left",
            "intensity": low,
            "rate": speed * low,
        }
        for place, speed in roofs.slopes.items()
    ]
    lines += [
        {"name": f"{what}: {flops:.3g} GFLOP/s", "side": "right", "intensity": high, "rate": flops}
        for what, flops in roofs.levels.items()
    ]
    key = [Key(f"{name}: {ladder.title}", _COLOURS[name], _SHAPES[name])
           for name, (ladder, *_) in found.items()]  # fmt: skip
    key.append(Key("roofs, measured", "muted", "line"))
    caption = (
        "Rate of each step over its arithmetic intensity, under the limits that were measured; "
        "the numbers are those of the steps below. Hover for names and values."
    )
    rates = [row["rate"] for row in [*rows, *lines]]
    bottom, top = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    spec = _roofline_spec(list(found), (low, high), (10.0**bottom, 10.0**top))
    panel = Panel("", spec, [*rows, *lines], wide=True, height=420)
    return PageFigure("roofline", caption, Chart([panel], key=key))


def _roofline_spec(
    names: list[str], reach: tuple[float, float], heights: tuple[float, float]
) -> dict[str, object]:
    log = {"type": "log"}
    across = axis(
        "intensity", "FLOP for each byte that comes into registers",
        scale={**log, "domain": list(reach), "nice": False}, axis={"tickCount": 5},
    )  # fmt: skip
    up = axis(
        "rate", "GFLOP/s, one core, float32",
        scale={**log, "domain": list(heights), "nice": False}, axis={"tickCount": 5},
    )  # fmt: skip
    decades = [math.log10(high / low) for low, high in (heights, reach)]
    slope = f"-atan2(height / {decades[0]}, width / {decades[1]}) * 180 / PI"
    points = [{"filter": "isValid(datum.step)"}]
    colour = colours("ladder", {name: _COLOURS[name] for name in names})
    roof = {
        "transform": [{"filter": "isValid(datum.roof)"}],
        "mark": {"type": "line", "color": "var(--muted)", "strokeWidth": 1.2},
        "encoding": {
            "x": across, "y": up, "detail": {"field": "roof"}, "tooltip": tooltip(("roof", "roof")),
        },
    }  # fmt: skip
    labels = [
        {
            "transform": [{"filter": f"datum.side === '{side}'"}],
            "mark": {"type": "text", "align": side, "dx": aside, "dy": -7, "angle": angle,
                     "color": "var(--muted)", "aria": False},
            "encoding": {"x": across, "y": up, "text": {"field": "name"}},
        }
        for side, aside, angle in (("left", 4, {"expr": slope}), ("right", 0, 0))
    ]  # fmt: skip
    marks = {
        "transform": points,
        "mark": {"type": "point", "filled": True, "size": 90, "stroke": "var(--paper)"},
        "encoding": {
            "x": across, "y": up, "color": colour,
            "shape": shapes("ladder", {name: _SHAPES[name] for name in names}),
            "tooltip": tooltip(("ladder", "ladder"), ("number", "number"), ("step", "step"),
                               ("intensity", "FLOP a byte"), ("rate", "GFLOP/s"),
                               ("rejected", "rejected")),
        },
    }  # fmt: skip
    numbers = {
        "transform": points,
        "mark": {"type": "text", "dx": 9, "dy": -6, "aria": False, "fontWeight": "bold"},
        "encoding": {"x": across, "y": up, "text": {"field": "number"}, "color": colour},
    }
    return {"layer": [roof, *labels, marks, numbers]}
