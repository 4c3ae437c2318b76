"""``python -m fastmlp.kernels``."""

import subprocess
import sys

import numba
import pytest

from fastmlp.kernels.ladder import cli
from fastmlp.kernels.ladder.cli import LADDERS, main
from fastmlp.kernels.ladder.measure import Limits
from fastmlp.kernels.ladder.plot import draw_roofline

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


def test_the_plot_is_a_png(tmp_path):
    limits = Limits(peak=118.0, cache=210.0, home=117.0)
    found = {
        name: (ladder, limits, [[1.0 + i] for i in range(len(ladder.steps))])
        for name, ladder in LADDERS.items()
    }
    draw_roofline(tmp_path / "roof", found, {"large": [100.0]})
    assert (tmp_path / "roof").read_bytes().startswith(b"\x89PNG")
