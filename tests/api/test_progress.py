"""What fit shows while it trains."""

import re

import numpy as np
import pytest

from .test_fit import X, Y, make


class TestOutput:
    @pytest.mark.parametrize("verbose", [0, "auto"])
    def test_is_silent_where_nobody_looks(self, capsys, verbose):
        make().fit(X, Y, epochs=2, verbose=verbose)
        captured = capsys.readouterr()
        assert captured.out == captured.err == ""

    @pytest.mark.parametrize("verbose", [1, 2])
    def test_has_a_line_per_epoch_with_all_figures(self, capsys, verbose):
        model = make()
        history = model.fit(
            X, Y, epochs=2, batch_size=8, validation_data=(X, Y), verbose=verbose
        ).history
        out = capsys.readouterr().out
        assert re.findall(r"Epoch (\d)/(\d)", out) == [("1", "2"), ("2", "2")]
        lines = [line for line in out.splitlines() if line.startswith("7/7 - ")]
        assert len(lines) == 2
        for number, line in enumerate(lines):
            for name, values in history.items():
                assert f"{name}: {values[number]:.4f}" in line

    def test_changes_no_result(self, capsys):
        models = [make() for _ in range(3)]
        for verbose, model in enumerate(models):
            model.fit(X, Y, epochs=3, verbose=verbose)
        assert capsys.readouterr().out
        for model in models[1:]:
            np.testing.assert_array_equal(model.params, models[0].params)
