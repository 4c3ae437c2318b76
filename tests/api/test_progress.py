"""What fit shows while it trains."""

import re
import sys
import types

import numpy as np
import pytest

from fastmlp.runtime import progress

from .test_fit import X, Y, make


class TestOutput:
    @pytest.mark.parametrize("verbose", [0, False])
    def test_is_silent_if_told_to(self, capsys, verbose):
        make().fit(X, Y, epochs=2, verbose=verbose)
        make().evaluate(X, Y, verbose=verbose)
        make().predict(X, verbose=verbose)
        captured = capsys.readouterr()
        assert captured.out == captured.err == ""

    @pytest.mark.parametrize("epochs", [1, 3, 100, 101, 250])
    def test_shows_at_most_a_hundred_epochs_and_the_last_in_a_log(self, capsys, epochs):
        make().fit(X, Y, epochs=epochs)
        shown = [int(n) for n in re.findall(r"Epoch (\d+)/", capsys.readouterr().out)]
        assert shown[0] == 1
        assert shown[-1] == epochs
        assert min(epochs, 50) <= len(shown) <= 101

    @pytest.mark.parametrize("verbose", ["auto", 1, 2])
    def test_writes_no_control_characters_into_files(self, capsys, verbose, monkeypatch):
        monkeypatch.setenv("FORCE_COLOR", "1")
        make().fit(X, Y, epochs=2, verbose=verbose)
        make().evaluate(X, Y, verbose=1)
        make().predict(X, verbose=1)
        out = capsys.readouterr().out
        assert out
        assert all(character.isprintable() or character == "\n" for character in out)

    def test_replaces_its_bar_on_a_terminal(self, capsys, monkeypatch):
        monkeypatch.setattr(progress, "_SECONDS_PER_UPDATE", 0)
        monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
        make().fit(X, Y, epochs=2)
        lines = capsys.readouterr().out.split("\n")
        assert "━" in lines[1]
        shown = [re.sub(r".*\r", "", line) for line in lines]
        assert shown[0] == "Epoch 1/2"
        assert shown[1].startswith("2/2 - ")
        assert not any("━" in line for line in shown)

    def test_replaces_an_output_in_a_notebook(self, monkeypatch):
        texts = []

        class Handle:
            def update(self, content, raw):
                texts.append(content["text/plain"])

        def display(content, raw, display_id):
            texts.append(content["text/plain"])
            return Handle()

        ipython = types.SimpleNamespace(display=display)
        monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
        monkeypatch.setitem(sys.modules, "IPython.display", ipython)
        monkeypatch.setattr(progress, "is_notebook", lambda: True)
        monkeypatch.setattr(progress, "_SECONDS_PER_UPDATE", 0)
        make().fit(X, Y, epochs=2)
        assert any("━" in text for text in texts)
        assert "━" not in texts[-1]
        assert texts[-1].count("loss: ") == 2

    def test_of_evaluate_and_predict(self, capsys):
        model = make()
        loss, accuracy = model.evaluate(X, Y, 8, 1)
        out = capsys.readouterr().out
        assert out.startswith("7/7 - ")
        assert f"loss: {loss:.4f} - accuracy: {accuracy:.4f}" in out
        outputs = model.predict(X, 8, 1)
        assert capsys.readouterr().out.startswith("7/7 - ")
        np.testing.assert_array_equal(outputs, model.predict(X))
        np.testing.assert_array_equal(model.predict(X, 8, 0, 2), outputs[:16])
        np.testing.assert_array_equal(model.predict(X, steps=1), outputs[:32])
        for size in (1, 7, 50):
            assert model.evaluate(X, Y, size) == pytest.approx([loss, accuracy], rel=1e-6)

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
