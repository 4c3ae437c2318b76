"""``python -m fastmlp.kernels``."""

import re
import subprocess
import sys

import numba
import pytest
from rich.console import Console

from fastmlp.kernels.ladder import cli, show
from fastmlp.kernels.ladder.cli import LADDERS, main
from fastmlp.kernels.ladder.measure import Limits
from fastmlp.kernels.ladder.page import page
from fastmlp.kernels.ladder.plot import Roofs, draw_roofline, roofline_figure

from .op_table import JIT

pytestmark = pytest.mark.skipif(not JIT, reason="plain Python is not what the command is about")


def test_the_command_shows_steps_and_rates():
    done = subprocess.run(
        [sys.executable, "-m", "fastmlp.kernels", "update", "--rounds", "1"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for number, step in enumerate(LADDERS["update"].steps, start=1):
        assert f"{number}  update/{step.name}" in done.stdout
    assert "def four_samples(a, b, scale, out):" in done.stdout
    assert "def matmul_nn(a, b, scale, out):" in done.stdout
    assert "NumPy, 1024 cubed" in done.stdout
    assert "One core, measured:" in done.stdout
    assert "forward" not in done.stdout


def test_brief_leaves_out_the_sources(capsys):
    assert main(["sigmoid", "--rounds", "1", "--brief"]) == 0
    printed = capsys.readouterr().out
    assert "def " not in printed
    assert all(step.name in printed for step in LADDERS["sigmoid"].steps)
    assert "NumPy, the same" in printed
    assert "cubed" not in printed


def test_machine_code_on_request(capsys):
    assert main(["--asm", "forward/vectors", "--llvm", "forward/textbook"]) == 0
    printed = capsys.readouterr().out
    assert "forward/vectors: the inner loop" in printed
    assert "forward/textbook: the inner loop" in printed
    assert "fadd" in printed
    assert "instructions" in printed
    assert "define" not in printed
    main(["--llvm", "forward/textbook", "--whole"])
    assert "define" in capsys.readouterr().out


def fails_with(message, arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["backward"], "there is no ladder 'backward', but forward, update, sigmoid"),
        (["--asm", "vectors"], "there is no step 'vectors', but forward/textbook, "),
        (["--rounds", "0"], "expected a positive integer, got 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message, capsys):
    fails_with(message, arguments, capsys)


def test_a_plot_needs_matplotlib(monkeypatch, capsys):
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: None)
    fails_with("--plot needs matplotlib", ["--plot", "roofline.png"], capsys)


def test_without_a_compiler_there_is_nothing_to_show(monkeypatch, capsys):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    fails_with("NUMBA_DISABLE_JIT is set", [], capsys)


def found_at(speed):
    """Made-up rates of a machine that is so many times as fast as a slow one."""
    limits = Limits(peak=100.0 * speed, cache=200.0 * speed, home=110.0 * speed)
    found = {
        name: (ladder, limits, [[speed * (1.0 + i**2)] for i in range(len(ladder.steps))])
        for name, ladder in LADDERS.items()
    }
    slopes = {"first cache": 200.0 * speed, "second cache": 110.0 * speed, "memory": 30.0}
    levels = {"the peak": 100.0 * speed, "one number": 13.0 * speed, "one chain": 1.6 * speed}
    return found, {"large": [90.0 * speed]}, Roofs(slopes, levels)


def test_the_plot_is_a_png(tmp_path):
    draw_roofline(tmp_path / "roof", *found_at(1))
    assert (tmp_path / "roof").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("speed", [0.01, 1, 2.5, 40])
def test_no_point_and_no_level_lies_off_the_plot(speed):
    found, peers, roofs = found_at(speed)
    figure = roofline_figure(found, peers, roofs)
    (axes,) = figure.axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for ladder, _, rates in found.values():
        for step, (rate,) in zip(ladder.steps, rates, strict=True):
            assert left < step.flops / step.loads < right
            assert bottom < step.flops * rate < top or step.c_source
    assert all(bottom < level < top for level in roofs.levels.values())


@pytest.mark.parametrize("speed", [0.01, 1, 2.5, 40])
def test_no_label_is_clipped(speed):
    figure = roofline_figure(*found_at(speed))
    (axes,) = figure.axes
    assert len(axes.texts) > 12
    for text in axes.texts:
        place = text.get_window_extent()
        assert figure.bbox.x0 <= place.x0 < place.x1 <= figure.bbox.x1, text.get_text()
        assert figure.bbox.y0 <= place.y0 < place.y1 <= figure.bbox.y1, text.get_text()


def test_what_stands_above_its_roof_is_said_to():
    ladder = LADDERS["forward"]
    limits = Limits(peak=100, cache=200, home=1000)
    rates = [[limits.roof(step)] for step in ladder.steps]
    assert show.above_the_roof(ladder, rates, limits, [[99.0]]) == ""
    rates[1] = [1.3 * rates[1][0]]
    said = show.above_the_roof(ladder, rates, limits, [[99.0], [110.0]])
    assert "Above the roof: sum_outermost, NumPy. " in said
    assert "too low" in said
    console = Console(record=True, width=120)
    console.print(
        show.rates_table("forward", ladder, rates, limits, {"forward": [99.0], "large": [110.0]})
    )
    assert "130% (!)" in console.export_text()


def test_the_page_has_source_beside_machine_code(monkeypatch):
    found, peers, roofs = found_at(1)
    name, (ladder, limits, rates) = "update", found["update"]
    compiled = {"asm": ["f:\n.L1:\n\tvfmadd231ps\t(%rax), %zmm1, %zmm2\n\tjne\t.L1"]}
    monkeypatch.setattr("fastmlp.kernels.ladder.page.compile_anew", lambda *_: compiled)
    made = page({name: (ladder, limits, rates)}, {**peers, name: [1.0]}, "update --html x", roofs)
    assert "python -m fastmlp.kernels update --html x" in made
    assert made.count("vfmadd231ps") == sum(not step.c_source for step in ladder.steps)
    for number, step in enumerate(ladder.steps, 1):
        assert f"{number} update/{step.name}: " in made
    assert "https://" not in re.sub("<script>.*?</script>", "", made, flags=re.DOTALL)
    assert len(made.encode()) < 2_000_000
