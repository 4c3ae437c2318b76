"""fastmlp.sweep on this machine: what it trains, what its table says, how it goes on."""

import csv
import functools
import json
import math
import subprocess
import sys

import numpy as np
import pytest

import fastmlp
from fastmlp import sweeps
from fastmlp.callbacks import EarlyStopping
from fastmlp.sweeps.journal import ROWS, Journal

from . import soak_kills
from .tabular import FEATURES, build, build_some_that_fail, data

X, Y = data()
SPACE = {"width": [2, 4], "rate": [0.01, 0.1]}


def run(space=SPACE, maker=build, **options):
    return fastmlp.sweep(space, maker, X, Y, **{"batch_size": 8, "epochs": 3, **options})


def build_with_a_mean(seed, width, rate):
    net = build(seed, width, rate)
    net.compile(fastmlp.optimizers.SGD(rate, use_ema=True, ema_momentum=0.5), net.loss)
    return net


def test_each_row_is_what_fit_gives():
    table = run(seeds=[3, 7], validation_data=(X, Y), measure=lambda net: {"size": net.params.size})
    assert table.is_complete
    assert table.columns == ["net", "width", "rate", "seed", "status", "epochs", "loss",
                             "val_loss", "size", "message", "weights", "seconds"]  # fmt: skip
    wanted = [(w, r, s) for w in (2, 4) for r in (0.01, 0.1) for s in (3, 7)]
    assert [(row["width"], row["rate"], row["seed"]) for row in table] == wanted
    for row in table:
        net = build(row["seed"], row["width"], row["rate"])
        history = net.fit(X, Y, 8, 3, 0, validation_data=(X, Y))
        assert row["loss"] == history.history["loss"][-1]
        assert row["val_loss"] == history.history["val_loss"][-1]
        assert row["size"] == net.params.size
        assert (row["status"], row["epochs"], row["message"]) == ("done", 3, "")
        assert row["seconds"] > 0


@pytest.mark.parametrize("options", [{"jobs": 1}, {"jobs": 3}, {"packet": 3}, {"packet": 1}])
def test_the_table_does_not_depend_on_how_it_is_spread(options):
    assert run(seeds=2, **options).digest == run(seeds=2).digest


def test_nets_that_fail_are_rows():
    kinds = ["fine", "not built", "fails", "refused", "diverges"]
    table = run({"kind": kinds}, build_some_that_fail)
    assert table.column("status") == ["done", "failed", "failed", "failed", "diverged"]
    said = table.column("message")
    assert said[:3] == ["", "ValueError: no such net", "ArithmeticError: no"]
    assert said[3].startswith("ValueError: y: expected targets of shape")
    assert said[4].startswith("training diverged: ")
    assert table.column("loss")[1:4] == [None] * 3


def test_a_net_may_have_options_of_its_own():
    def make(seed, size):
        own = {"batch_size": size, "epochs": 9, "subset": np.arange(20),
               "callbacks": [EarlyStopping("loss", patience=0, min_delta=0.5)]}  # fmt: skip
        return build(seed), own

    for row in run({"size": [4, 16]}, make):
        net = build(0)
        net.fit(
            X[:20], Y[:20], row["size"], 9, 0,
            callbacks=[EarlyStopping("loss", patience=0, min_delta=0.5)],
        )  # fmt: skip
        assert row["epochs"] == net.epochs_trained < 9
        assert row["loss"] == net.history.history["loss"][-1]


@pytest.mark.parametrize("name", ["loss", "width", "seconds"])
def test_a_measure_that_fails_is_a_failed_net(name):
    (row,) = run({"width": [2]}, measure=lambda net: {name: 1.0})
    assert (row["status"], row["message"]) == (
        "failed", f"ValueError: measure: {name!r} is the name of a column already"
    )  # fmt: skip


def test_build_may_be_any_callable(tmp_path):
    class Maker:
        def __call__(self, seed, width):
            return build(seed, width)

    for maker in (Maker(), functools.partial(build, rate=0.05)):
        out = tmp_path / type(maker).__name__
        table = run({"width": [2]}, maker, out=out, measure=functools.partial(lambda net: {}))
        assert table.is_complete


class TestHalving:
    def sweep(self, **options):
        halving = sweeps.Halving("val_loss", min_epochs=1, factor=2)
        return run(
            seeds=2, epochs=4, validation_data=(X, Y), halving=halving, **options
        )  # fmt: skip

    def test_the_best_half_goes_on_at_each_rung(self):
        table = self.sweep()
        values = {}
        for row in table:
            net = build(row["seed"], row["width"], row["rate"])
            net.fit(X, Y, 8, 4, 0, validation_data=(X, Y))
            values[row["net"]] = net.history.history["val_loss"]
            assert row["val_loss"] == values[row["net"]][row["epochs"] - 1]
        alive = sorted(values)
        for epochs in (1, 2):
            alive = sorted(alive, key=lambda net, epochs=epochs: values[net][epochs - 1])
            stopped = alive[len(alive) // 2 :]
            alive = alive[: len(alive) // 2]
            assert {table[net]["epochs"] for net in stopped} == {epochs}
            assert {table[net]["status"] for net in stopped} == {"halved"}
        assert [table[net]["status"] for net in alive] == ["done"] * 2
        assert {table[net]["epochs"] for net in alive} == {4}

    def test_running_means_of_weights_go_on_over_the_rungs(self, tmp_path):
        table = run(
            SPACE, build_with_a_mean, epochs=4, halving=sweeps.Halving("loss", 1, 2),
            out=tmp_path, weights=True,
        )  # fmt: skip
        for row in table:
            net = build_with_a_mean(row["seed"], row["width"], row["rate"])
            net.fit(X, Y, 8, row["epochs"], 0)
            saved = fastmlp.load_model(tmp_path / row["weights"])
            assert saved.params.tobytes() == net.params.tobytes(), row["status"]

    def test_what_is_measured_at_the_end_is_not_known_at_a_rung(self):
        with pytest.raises(ValueError, match=r"^halving: expected to monitor one of loss, "):
            run(measure=lambda net: {"size": 1.0}, halving=sweeps.Halving("size"))

    def test_nets_are_compared_within_their_packet(self):
        table = self.sweep(packet=4)
        assert [row["status"] for row in table[:4]].count("done") == 1
        assert [row["status"] for row in table[4:]].count("done") == 1

    def test_of_diverging_nets_none_goes_on(self):
        table = run(
            {"kind": ["diverges", "fine", "diverges", "fails"]}, build_some_that_fail, epochs=4,
            halving=sweeps.Halving("loss", 1, 2),
        )  # fmt: skip
        assert table.column("status") == ["diverged", "done", "diverged", "failed"]

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"min_epochs": 0}, ValueError, "min_epochs: expected a positive integer"),
            ({"factor": 1}, ValueError, "factor: expected an integer of at least 2"),
            ({"mode": "auto"}, ValueError, "mode: expected 'min' or 'max'"),
            ({"monitor": 3}, TypeError, "monitor: expected a figure's name"),
        ],
    )
    def test_what_is_refused(self, arguments, error, message):
        with pytest.raises(error, match=f"^{message}"):
            sweeps.Halving(**arguments)


class TestFolder:
    def test_goes_on_where_it_was(self, tmp_path):
        trained = []

        def counting(seed, width, rate):
            trained.append((seed, width, rate))
            return build(seed, width, rate)

        whole = run(maker=counting, seeds=3)
        table = run(maker=counting, seeds=3, out=tmp_path)
        kept = (tmp_path / ROWS).read_bytes().splitlines(keepends=True)
        (tmp_path / ROWS).write_bytes(b"".join(kept[:5]) + kept[5][:-7])
        trained.clear()
        again = run(maker=counting, seeds=3, out=tmp_path)
        assert again.digest == table.digest == whole.digest
        assert len(trained) == 12 - 5 + 1  # and the first, to see whether it can be built
        assert [row["seconds"] for row in again[:1]] == [row["seconds"] for row in table[:1]]
        assert sweeps.read_table(tmp_path).digest == whole.digest

    def test_keeps_weights(self, tmp_path):
        table = run(out=tmp_path, weights=True)
        for row in table:
            net = fastmlp.load_model(tmp_path / row["weights"])
            alone = build(row["seed"], row["width"], row["rate"])
            alone.fit(X, Y, 8, 3, verbose=0)
            np.testing.assert_array_equal(net.params, alone.params)

    @pytest.mark.parametrize(
        ("options", "name"),
        [({"epochs": 4}, "epochs"), ({"seeds": 2}, "nets"), ({"shuffle": False}, "shuffle"),
         ({"space": {"width": [2, 3], "rate": [0.01, 0.1]}}, "space"),
         ({"validation_data": (X, Y)}, "validation_data")],
    )  # fmt: skip
    def test_of_another_sweep_is_refused(self, tmp_path, options, name):
        run(out=tmp_path)
        before = (tmp_path / ROWS).read_bytes()
        with pytest.raises(ValueError, match=f"^out: .* has a sweep with another {name}: "):
            run(out=tmp_path, **options)
        with pytest.raises(ValueError, match="^out: .* has a sweep with another data"):
            fastmlp.sweep(SPACE, build, X + 1, Y, batch_size=8, epochs=3, out=tmp_path)
        assert (tmp_path / ROWS).read_bytes() == before

    def test_is_for_one_at_a_time(self, tmp_path):
        run(out=tmp_path)
        plan = json.loads((tmp_path / "sweep.json").read_text())
        with Journal(tmp_path, plan), pytest.raises(RuntimeError, match="another process"):
            run(out=tmp_path)

    def test_that_is_damaged_is_refused(self, tmp_path):
        run(out=tmp_path)
        content = (tmp_path / ROWS).read_bytes()
        (tmp_path / ROWS).write_bytes(b"x" + content)
        with pytest.raises(ValueError, match=f"^out: line 1 of {ROWS} is damaged"):
            run(out=tmp_path)
        with pytest.raises(FileNotFoundError, match="is not the folder of a sweep"):
            sweeps.read_table(tmp_path / "nowhere")

    def test_ctrl_c_returns_what_is_done(self, tmp_path):
        def press(net):
            if net.layers[-2].units == 4:
                raise KeyboardInterrupt
            return {}

        table = run(measure=press, out=tmp_path, jobs=1)
        assert not table.is_complete
        assert len(table) == 2
        assert "2 of 4 nets" in repr(table)

    @pytest.mark.parametrize("way", ["plain", "halving"])
    def test_after_kills_the_table_is_the_same(self, tmp_path, way):
        assert soak_kills.soak(tmp_path, 32, 1, way, epochs=60) >= 1


class TestTable:
    def test_files(self, tmp_path):
        pq = pytest.importorskip("pyarrow.parquet")
        table = run({"kind": ["fine", "not built"]}, build_some_that_fail, out=tmp_path)
        table.to_csv(tmp_path / "own.csv")
        assert (tmp_path / "own.csv").read_text() == (tmp_path / "table.csv").read_text()
        with (tmp_path / "own.csv").open() as file:
            first, second = csv.DictReader(file)
        assert float(first["loss"]) == table[0]["loss"]
        assert second["loss"] == ""
        table.to_parquet(tmp_path / "own.parquet")
        assert pq.read_table(tmp_path / "own.parquet").to_pylist() == list(table)
        frame = table.to_pandas()
        assert list(frame.columns) == table.columns
        assert frame["loss"].isna().tolist() == [False, True]

    def test_settings_of_several_types_and_lists(self, tmp_path):
        pq = pytest.importorskip("pyarrow.parquet")

        def make(seed, sizes, rate):
            return build(seed, sizes[0] if isinstance(sizes, tuple) else 3, rate or 0.01)

        table = run({"sizes": [(2, 3), "wide"], "rate": [None, 1, 0.5]}, make)
        assert table.column("sizes")[0] == "[2, 3]"
        table.to_parquet(tmp_path / "t.parquet")
        read = pq.read_table(tmp_path / "t.parquet").to_pylist()
        assert [row["rate"] for row in read[:3]] == [None, 1.0, 0.5]

    def test_a_column_that_is_not_there(self):
        with pytest.raises(ValueError, match="^name: expected one of net, width"):
            run().column("accuracy")

    def test_not_a_number_is_the_same_again(self):
        table = run({"kind": ["diverges"]}, build_some_that_fail, validation_data=(X, Y))
        assert math.isnan(table[0]["val_loss"])
        again = run({"kind": ["diverges"]}, build_some_that_fail, validation_data=(X, Y))
        assert table.digest == again.digest


class TestSpaces:
    def test_random_configurations_stay_when_more_are_drawn(self):
        settings = {"a": ["x", "y"], "b": sweeps.log_uniform(1e-3, 1), "c": sweeps.integers(2, 4)}
        few = sweeps.Random(settings, 10, seed=3).configurations()
        many = sweeps.Random(settings, 200, seed=3).configurations()
        assert many[:10] == few
        assert {config["a"] for config in many} == {"x", "y"}
        assert {config["c"] for config in many} == {2, 3, 4}
        assert all(1e-3 <= config["b"] < 1 for config in many)
        assert 0.4 < np.mean([config["b"] < 10**-1.5 for config in many]) < 0.6
        assert sweeps.Random(settings, 10, seed=4).configurations() != few

    def test_sobol_fills_the_space_evenly(self):
        space = sweeps.Sobol({"a": sweeps.uniform(0, 1), "b": sweeps.uniform(0, 8)}, 64)
        configurations = space.configurations()
        for name, width in (("a", 1 / 64), ("b", 8 / 64)):
            cells = [int(config[name] / width) for config in configurations]
            assert sorted(cells) == list(range(64))
        assert configurations == space.configurations()
        assert len(sweeps.Sobol({"a": sweeps.uniform(0, 1)}, 5).configurations()) == 5

    def test_a_grid_of_numpys_numbers(self):
        table = run({"width": np.array([2, 3]), "rate": np.float32([0.5])})
        assert table.column("width") == [2, 3]
        assert all(type(width) is int for width in table.column("width"))

    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (lambda: sweeps.Grid({}), TypeError, "settings: expected a dict"),
            (lambda: sweeps.Grid({"a": []}), ValueError, r"settings\['a'\]: expected at least one"),
            (lambda: sweeps.Grid({"a": 3}), TypeError, r"settings\['a'\]: expected a list"),
            (lambda: sweeps.Grid({"a": [print]}), TypeError, r"settings\['a'\]: expected numbers"),
            (lambda: sweeps.Grid({"seed": [1]}), ValueError, "settings: expected the names of"),
            (lambda: sweeps.Grid({"a": sweeps.uniform(0, 1)}), TypeError, ".*a Grid needs a list"),
            (lambda: sweeps.Random({"a": [1]}, 0), ValueError, "count: expected a positive"),
            (lambda: sweeps.Random({"a": [1]}, 1, -1), ValueError, "seed: expected a non-negative"),
            (lambda: sweeps.uniform(1, 1), ValueError, "high: expected a number above low=1"),
            (lambda: sweeps.log_uniform(0, 1), ValueError, "low: expected a positive number"),
            (lambda: sweeps.integers(1.5, 3), ValueError, "low: expected an integer, got 1.5"),
            (lambda: sweeps.integers(3, 3), ValueError, "high: expected an integer above low"),
        ],
    )
    def test_what_is_refused(self, make, error, message):
        with pytest.raises(error, match=f"^{message}"):
            make()


class TestOptuna:
    @pytest.fixture
    def space(self):
        optuna = pytest.importorskip("optuna")
        optuna.logging.set_verbosity(optuna.logging.WARNING)

        def make(count=24, **options):
            return sweeps.Optuna(
                {
                    "width": optuna.distributions.IntDistribution(2, 6),
                    "rate": optuna.distributions.FloatDistribution(1e-3, 0.3, log=True),
                },
                count, "loss", batch=8, **options,
            )  # fmt: skip

        return make

    def test_is_told_what_became_of_its_packets(self, space):
        searching = space()
        table = run(searching, seeds=2)
        assert len(table) == 48
        trials = searching.study.trials
        assert [t.params["width"] for t in trials] == table.column("width")[::2]
        losses = np.array(table.column("loss")).reshape(-1, 2).mean(axis=1)
        np.testing.assert_allclose([t.value for t in trials], losses)
        # After the first packets, which are random, it looks where losses were low.
        assert np.mean(losses[16:]) < np.mean(losses[:8])

    def test_goes_on_with_the_same_configurations(self, space, tmp_path):
        whole = run(space(), out=tmp_path)
        kept = (tmp_path / ROWS).read_bytes().splitlines(keepends=True)
        (tmp_path / ROWS).write_bytes(b"".join(kept[:13]))
        assert run(space(), out=tmp_path).digest == whole.digest

    def test_a_figure_that_no_net_has_is_an_error(self, space):
        searching = space(8)
        searching.monitor = "size"
        run(searching, measure=lambda net: {"size": 1.0})
        searching.monitor = "sise"
        with pytest.raises(ValueError, match=r"^space: .* one of loss, size, got 'sise'"):
            run(searching, measure=lambda net: {"size": 1.0})

    def test_another_sampler(self, space):
        import optuna

        table = run(space(8, sampler=optuna.samplers.RandomSampler, direction="maximize"))
        assert len(set(table.column("rate"))) == 8

    def test_nets_that_fail_are_trials_that_failed(self):
        optuna = pytest.importorskip("optuna")
        kinds = optuna.distributions.CategoricalDistribution(["fine", "fails"])
        searching = sweeps.Optuna({"kind": kinds}, 8, "loss")
        table = run(searching, build_some_that_fail)
        states = [trial.state.name for trial in searching.study.trials]
        wanted = {"fine": "COMPLETE", "fails": "FAIL"}
        assert states == [wanted[kind] for kind in table.column("kind")]

    def test_what_is_refused(self, space):
        for arguments, message in (
            ({"distributions": {"a": [1, 2]}, "count": 1}, "distributions: expected the names"),
            ({"distributions": {}, "count": 1}, "distributions: expected a dict"),
        ):
            with pytest.raises(TypeError, match=f"^{message}"):
                sweeps.Optuna(**arguments)
        with pytest.raises(ValueError, match="^direction: expected 'minimize' or 'maximize'"):
            space(direction="min")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"space": 5}, TypeError, "space: expected a dict of lists"),
        ({"space": {"loss": [1]}, "maker": lambda seed, loss: build(seed)}, ValueError,
         "space: 'loss' is the name of a figure"),
        ({"maker": 5}, TypeError, "build: expected a function, got 5"),
        ({"maker": lambda seed, width, rate: None}, TypeError, "build: expected a function that"),
        ({"maker": lambda seed, width, rate: (build(seed), {"rate": 3})}, ValueError,
         "build: expected options out of batch_size, epochs"),
        ({"maker": lambda seed: None}, TypeError, ".*unexpected keyword argument 'width'"),
        ({"seeds": 0}, ValueError, "seeds: expected a positive integer"),
        ({"seeds": [1, 1]}, ValueError, "seeds: expected at least one, and each once"),
        ({"epochs": 0}, ValueError, "epochs: expected a positive integer"),
        ({"batch_size": 1.5}, ValueError, "batch_size: expected a positive integer"),
        ({"shuffle": 1}, TypeError, "shuffle: expected True or False"),
        ({"weights": True}, ValueError, "weights: expected a folder, out"),
        ({"packet": 0}, ValueError, "packet: expected a positive integer"),
        ({"jobs": 0}, ValueError, "jobs: expected a positive integer"),
        ({"validation_data": X}, ValueError, r"validation_data: expected \(x, y\) or"),
        ({"halving": 3}, TypeError, "halving: expected a fastmlp.sweeps.Halving"),
        ({"halving": sweeps.Halving("accuracy")}, ValueError, "halving: expected to monitor one"),
        ({"measure": 3}, TypeError, "measure: expected a function"),
        ({"scheduler": "slurm"}, ValueError, "scheduler: expected 'local', 'dask'"),
        ({"scheduler": 5}, TypeError, "scheduler: expected 'local', 'dask'"),
        ({"scheduler": "dask", "jobs": 2}, ValueError, "jobs: not with a cluster"),
        ({"verbose": 3}, ValueError, "verbose: expected"),
    ],
)  # fmt: skip
def test_what_is_refused(options, error, message, tmp_path):
    out = tmp_path / "out"
    given = {"out": None if "weights" in options else out, **options}
    with pytest.raises(error, match=f"^{message}"):
        run(**given)
    assert not out.exists()


def test_it_needs_no_other_package():
    missing = ("dask", "distributed", "joblib", "optuna", "pandas", "pyarrow", "scipy", "sklearn")
    program = f"""
import sys
sys.modules.update(dict.fromkeys({missing}))
import fastmlp
from tests.sweeps.tabular import build, data
x, y = data()
table = fastmlp.sweep({{"width": [2, 3]}}, build, x, y)
assert len(table) == 2
for call in (
    lambda: fastmlp.sweep({{"width": [2, 3]}}, build, x, y, scheduler="loky"),
    lambda: fastmlp.sweep({{"width": [2, 3]}}, build, x, y, scheduler="dask"),
    lambda: table.to_parquet("x"), lambda: table.to_pandas(),
    lambda: fastmlp.sweeps.Sobol({{"width": [2]}}, 2).configurations(),
    lambda: fastmlp.sweeps.Optuna({{"width": 2}}, 2),
):
    try:
        call()
    except ImportError as reason:
        assert "install it" in str(reason)
    else:
        raise SystemExit("no error")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert FEATURES == 4
