"""Configurations: every class gives one, and comes back from it as it was."""

import dataclasses
import importlib
import inspect
import json
import pkgutil

import numpy as np
import pytest

import fastmlp
from fastmlp import (
    Sequential,
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    schedules,
)  # fmt: skip
from fastmlp.kernels.contract import Activation as Kind
from fastmlp.runtime.configuration import (
    _MODULES,
    Configurable,
    _arguments,
    clone,
    deserialize,
    serialize,
)


@saving.register_keras_serializable()
def sizes(y_true, y_pred):
    """A metric of one's own."""
    return abs(y_true - y_pred)


# One of each class, with no argument at its default.
EXAMPLES = [
    constraints.MaxNorm(3, 1),
    constraints.MinMaxNorm(0.5, 2, 0.3, [0, 1]),
    constraints.NonNeg(),
    constraints.UnitNorm(1),
    activations.Activation("elu", Kind.ELU, 0.3),
    activations.ELU(0.7),
    activations.CELU(0.7),
    activations.HardShrink(0.7),
    activations.SoftShrink(0.7),
    activations.Squareplus(0.7),
    activations.Threshold(0.7),
    activations.LeakyReLU(0.01),
    initializers.Constant(0.3),
    initializers.GlorotNormal(1),
    initializers.GlorotUniform(2),
    initializers.HeNormal(3),
    initializers.HeUniform(4),
    initializers.Identity(0.5),
    initializers.LecunNormal(5),
    initializers.LecunUniform(6),
    initializers.Ones(),
    initializers.Orthogonal(0.5, 7),
    initializers.RandomNormal(0.1, 0.2, 8),
    initializers.RandomUniform(-0.1, 0.2, 9),
    initializers.TorchDefault(10),
    initializers.TruncatedNormal(0.1, 0.2, 11),
    initializers.RandomSign(11),
    initializers.VarianceScaling(3.0, "fan_out", "uniform", 12),
    initializers.Zeros(),
    layers.Activation("tanh", name="a", input_dim=3),
    layers.Dense(
        3, activations.LeakyReLU(0.1), use_bias=False, kernel_initializer="orthogonal",
        bias_initializer=initializers.Constant(2.0), kernel_regularizer=regularizers.L1(0.1),
        bias_regularizer="l2", kernel_constraint="max_norm", bias_constraint="non_neg", name="d",
        activity_regularizer="l1_l2", input_shape=(4,), trainable=False,
    ),
    layers.ActivityRegularization(0.1, 0.2, name="aa", input_dim=3),
    layers.CategoryEncoding(3, "count", name="bb", input_dim=3),
    layers.Columns([0], [layers.CategoryEncoding(2, name="cc")], name="dd", input_dim=3),
    layers.Embedding(3, 2, "ones", "l1", "max_norm", name="ee", input_shape=(3,)),
    layers.Identity(name="ff", input_dim=3),
    layers.UnitNormalization(1, name="gg", input_dim=3),
    layers.Dropout(0.25, seed=3, name="e", input_shape=(2, 3)),
    layers.AlphaDropout(0.25, seed=3, name="v", input_dim=3),
    layers.ELU(0.3, name="l", input_dim=3),
    layers.GaussianDropout(0.25, 3, name="w", input_dim=3),
    layers.GaussianNoise(0.25, 3, name="x", input_dim=3),
    layers.LeakyReLU(0.4, name="m", trainable=False, input_dim=3),
    layers.LayerNormalization(
        1, epsilon=0.1, center=False, scale=False, gamma_initializer="zeros",
        beta_initializer="ones", gamma_regularizer="l1", beta_regularizer="l2",
        gamma_constraint="max_norm", beta_constraint="non_neg", name="n", input_dim=3,
    ),
    layers.Normalization(1, [1.0, 2.0], 3.0, name="o", input_dim=3),
    layers.MixedActivation("mish", name="m", input_dim=3),
    layers.PReLU("ones", "l1", "non_neg", name="p", input_dim=3),
    layers.RMSNormalization(1, 0.1, name="q", input_dim=3),
    layers.ReLU(6.0, 0.1, 0.2, name="r", input_dim=3),
    layers.Reshape((3, -1), name="s", input_dim=3),
    layers.Scale(
        use_bias=True, members=2, scale_initializer="zeros", bias_initializer="ones",
        scale_regularizer="l1", bias_regularizer="l2", scale_constraint="max_norm",
        bias_constraint="non_neg", name="t",
        input_dim=3,
    ),
    layers.Softmax(name="u", input_dim=3),
    layers.Flatten(name="f", input_shape=(2, 3)),
    layers.Input((3, 2), name="g"),
    layers.Rescaling(0.5, 2.0, name="h", input_dim=2),
    layers.Residual(
        [layers.Dense(3, name="k"), layers.Residual([layers.Flatten()])], name="i", input_dim=3
    ),
    layers.BatchNormalization(
        momentum=0.5, epsilon=0.1, center=False, scale=False, gamma_initializer="zeros",
        beta_initializer="ones", moving_mean_initializer="ones", beta_regularizer="l1",
        moving_variance_initializer=initializers.Constant(2.0), gamma_regularizer="l2", name="b",
        input_dim=3,
    ),
    losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1, reduction="sum"),
    losses.BinaryFocalCrossentropy(True, 0.3, 1.5, True, 0.1),
    losses.CategoricalFocalCrossentropy(0.3, 1.5, True, 0.1),
    losses.CategoricalHinge(reduction="sum"),
    losses.CosineSimilarity(reduction="mean"),
    losses.Hinge(reduction="mean_with_sample_weight"),
    losses.KLDivergence(),
    losses.LogCosh(),
    losses.MeanAbsolutePercentageError(),
    losses.MeanSquaredLogarithmicError(),
    losses.Poisson(),
    losses.Quantile(0.3),
    losses.SquaredHinge(),
    losses.Huber(0.3),
    losses.MeanAbsoluteError(),
    losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
    losses.SparseCategoricalCrossentropy(from_logits=True),
    losses.MeanSquaredError(),
    metrics.AUC(
        50, "PR", "majoring", thresholds=[0.3, 0.6], multi_label=True, num_labels=2,
        label_weights=[0.5, 1.0], from_logits=True, name="auc2",
    ),
    metrics.Accuracy("equal"),
    metrics.BinaryAccuracy("b", 0.7),
    metrics.BinaryCrossentropy("bc", True, 0.1),
    metrics.CategoricalCrossentropy("cc", True, 0.1),
    metrics.CategoricalHinge("ch"),
    metrics.CosineSimilarity("cs"),
    metrics.F1Score("micro", 0.4, name="f1"),
    metrics.FBetaScore("weighted", 2.0, 0.4, name="f2"),
    metrics.FalseNegatives(0.4, name="fn"),
    metrics.FalsePositives([0.4], name="fp"),
    metrics.Hinge("hi"),
    metrics.KLDivergence("kl"),
    metrics.LogCoshError("lc"),
    metrics.MeanAbsolutePercentageError("mp"),
    metrics.MeanMetricWrapper(sizes, name="own"),
    metrics.MeanSquaredLogarithmicError("ml"),
    metrics.Poisson("po"),
    metrics.Precision(0.4, 2, 1, name="pr"),
    metrics.PrecisionAtRecall(0.4, num_thresholds=20, class_id=1, name="pa"),
    metrics.R2Score("variance_weighted_average", name="r"),
    metrics.Recall(0.4, 2, 1, name="re"),
    metrics.RecallAtPrecision(0.4, num_thresholds=20, class_id=1, name="ra"),
    metrics.RootMeanSquaredError("rm"),
    metrics.SensitivityAtSpecificity(0.4, num_thresholds=20, class_id=1, name="se"),
    metrics.SparseCategoricalCrossentropy("sc", True),
    metrics.SparseTopKCategoricalAccuracy(3, name="st"),
    metrics.SpecificityAtSensitivity(0.4, num_thresholds=20, class_id=1, name="sp"),
    metrics.SquaredHinge("sh"),
    metrics.TopKCategoricalAccuracy(3, name="tk"),
    metrics.TrueNegatives(0.4, name="tn"),
    metrics.TruePositives(0.4, name="tp"),
    metrics.CategoricalAccuracy("c"),
    metrics.MeanAbsoluteError("d"),
    metrics.MeanSquaredError("e"),
    metrics.SparseCategoricalAccuracy("f"),
    optimizers.SGD(
        schedules.CosineDecay(0.3, 7), momentum=0.5, nesterov=True, weight_decay=0.6
    ),
    optimizers.RMSprop(0.2, 0.3, 0.4, 1e-5, True, weight_decay=0.6),
    optimizers.Adagrad(0.2, 0.3, 1e-5, weight_decay=0.6),
    optimizers.Adadelta(0.2, 0.3, 1e-5, weight_decay=0.6),
    optimizers.Adam(0.2, 0.3, 0.4, 1e-5, True, weight_decay=0.6),
    optimizers.AdamW(0.2, 0.6, 0.3, 0.4, 1e-5, True, clipvalue=0.7),
    optimizers.Adamax(0.2, 0.3, 0.4, 1e-5, weight_decay=0.6),
    optimizers.Nadam(0.2, 0.3, 0.4, 1e-5, weight_decay=0.6, clipnorm=0.7),
    optimizers.Lion(0.2, 0.3, 0.4, weight_decay=0.6, global_clipnorm=0.7),
    regularizers.L1(0.1),
    regularizers.L2(0.2),
    regularizers.L1L2(0.3, 0.4),
    schedules.CosineDecay(0.1, 7, 0.2, warmup_target=0.5, warmup_steps=3),
    schedules.CosineDecayRestarts(0.1, 7, 1.5, 0.5, 0.2),
    schedules.CosineLog(0.1, 70, 3),
    schedules.FlatCosine(0.1, 70),
    schedules.ExponentialDecay(0.1, 7, 0.5, True),
    schedules.InverseTimeDecay(0.1, 7, 0.5, True),
    schedules.OneCycle(0.1, 70, 0.4, "linear", 10.0, 20.0, True),
    schedules.PiecewiseConstantDecay([3, 5], [0.3, 0.2, 0.1]),
    schedules.PolynomialDecay(0.1, 7, 0.05, 2.0, True),
    schedules.StepDecay(0.1, 7, 0.5),
    Sequential([layers.Dense(3)], seed=3, dtype="float64", backend="numpy", name="s"),
]  # fmt: skip
ABSTRACT = {
    "Constraint",
    "Initializer",
    "Layer",
    "LearningRateSchedule",
    "Loss",
    "Metric",
    "Optimizer",
    "Formula",
}


def public_classes():
    """Yield all classes that users can type, of the modules that nets are made of."""
    for info in pkgutil.iter_modules(fastmlp.__path__[:1]):
        if info.name not in _MODULES:
            continue
        module = importlib.import_module(f"fastmlp.{info.name}")
        for name, thing in inspect.getmembers(module, inspect.isclass):
            if thing.__module__.startswith(module.__name__) and not name.startswith("_"):
                yield thing


def test_every_public_class_has_an_example():
    classes = {thing for thing in public_classes() if thing.__name__ not in ABSTRACT}
    assert classes <= {type(example) for example in EXAMPLES}
    assert len(classes) > 40
    assert all(issubclass(thing, Configurable) for thing in classes)


def same(a, b):
    assert type(a) is type(b)
    assert a.get_config() == b.get_config()
    if dataclasses.is_dataclass(a):
        assert a == b


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: type(e).__name__)
def test_what_comes_back_is_the_same(example):
    config = example.get_config()
    assert json.loads(json.dumps(config)) == config  # plain data, with nothing lost
    same(type(example).from_config(config), example)
    same(deserialize(json.loads(json.dumps(serialize(example)))), example)
    same(clone(example), example)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: type(e).__name__)
def test_every_argument_is_in_the_configuration(example):
    config = example.get_config()
    elsewhere = {"input_dim", "input_length"}  # in input_shape
    if isinstance(example, layers.ActivityRegularization):
        elsewhere.add("activity_regularizer")  # in l1 and l2
    assert set(_arguments(type(example))) - elsewhere <= set(config)
    if type(example).from_config.__func__ is Configurable.from_config.__func__:
        with pytest.raises(ValueError, match=f"^config: {type(example).__name__} has no .*'zzz'"):
            type(example).from_config({**config, "zzz": 1})


@pytest.mark.parametrize("name", activations.NAMES)
def test_an_activation_is_its_name(name):
    known = activations.get(name).name  # an alias is another's name
    assert layers.Dense(2, name).get_config()["activation"] == known
    assert layers.Activation(name).get_config()["activation"] == known


class Scale(layers.Layer):
    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def forward(self, x, training):
        return x * self.factor

    def backward(self, dy):
        return dy * self.factor, {}


class Forgetful(layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.other = factor


def mine(shape, fan_in, fan_out, rng):
    return np.full(shape, 0.25)


def test_a_class_of_ones_own():
    layer = Scale(2.5, name="twice")
    options = {"name": "twice", "trainable": True, "activity_regularizer": None}
    assert layer.get_config() == {"factor": 2.5} | options
    config = serialize(layer)
    with pytest.raises(ValueError, match="^custom_objects: 'Scale' is not part of fastmlp"):
        deserialize(config)
    same(deserialize(config, {"Scale": Scale}), layer)
    with saving.custom_object_scope({"Scale": Scale}):
        same(deserialize(config), layer)
    with pytest.raises(ValueError, match="^custom_objects: 'Scale'"):
        deserialize(config)


def test_what_does_not_describe_itself_is_refused():
    with pytest.raises(NotImplementedError, match="^Forgetful.get_config is missing: .*'factor'"):
        Forgetful(2).get_config()
    with pytest.raises(TypeError, match=r"^Dense.kernel_initializer: a lambda can't be saved"):
        layers.Dense(2, kernel_initializer=lambda s, i, o, r: np.ones(s)).get_config()
    with pytest.raises(TypeError, match=r"^Scale.factor: .* can't be saved; it has no get_config"):
        Scale(object()).get_config()


def test_a_function_of_ones_own():
    config = serialize(layers.Dense(2, kernel_initializer=mine))
    with pytest.raises(ValueError, match="^custom_objects: 'mine' is not part of fastmlp"):
        deserialize(config)
    assert deserialize(config, {"mine": mine}).kernel_initializer is mine


def test_registered_classes_need_no_custom_objects():
    @saving.register_keras_serializable(package="tests")
    class Offset(layers.Layer):
        def __init__(self, offset, name=None):
            super().__init__(name)
            self.offset = offset

    config = serialize(Offset(2.0))
    assert config["registered_name"] == "tests>Offset"
    same(deserialize(config), Offset(2.0))
    with pytest.raises(ValueError, match="^name: 'tests>Offset' is registered already"):
        saving.register_keras_serializable("tests", "Offset")(Scale)


@pytest.mark.parametrize(
    ("module", "name"),
    [("fastmlp.layers", "Conv2D"), ("os", "system"), ("fastmlp.layers", "base"),
     ("fastmlp.runtime.configuration", "Configurable"), ("fastmlp.model", "Table")],
)  # fmt: skip
def test_a_configuration_can_name_nothing_but_such_classes(module, name):
    config = {"module": module, "class_name": name, "config": {}, "registered_name": None}
    with pytest.raises(ValueError, match=f"^class_name: fastmlp has no '{name}' in '{module}'"):
        deserialize(config)


def test_a_net_from_its_description():
    model = Sequential(
        [layers.Input(4), layers.Dense(5, "relu"), layers.Dropout(0.2), layers.Dense(3)], seed=7
    )
    for other in (
        Sequential.from_config(model.get_config()),
        models.model_from_json(model.to_json()),
        models.clone_model(model),
    ):
        same(other, model)
        assert other is not model
        assert other.params.tobytes() == model.params.tobytes()
    with pytest.raises(ValueError, match="^json_string: expected the text"):
        models.model_from_json("{")
    with pytest.raises(ValueError, match="^json_string: expected the text"):
        models.model_from_json("[1]")


def test_a_net_without_an_input_comes_back_built():
    model = Sequential([layers.Dense(3), layers.Dense(2)], seed=1)
    assert Sequential.from_config(model.get_config()).built is False
    model.build((None, 4))
    assert model.get_config()["build_input_shape"] == [None, 4]
    other = Sequential.from_config(model.get_config())
    assert [w.shape for w in other.get_weights()] == [(4, 3), (3,), (3, 2), (2,)]
    assert other.params.tobytes() == model.params.tobytes()


@pytest.mark.parametrize("shape", [4, (4,), (None,), (3, 4), (None, -1), (None, 2.5), "ab"])
def test_shapes_that_no_net_can_be_built_for(shape):
    with pytest.raises((TypeError, ValueError), match=r"^input_shape(\[\d\])?: expected"):
        Sequential([layers.Dense(3)]).build(shape)


def test_a_net_is_built_for_one_shape():
    model = Sequential([layers.Input(4), layers.Dense(3)])
    model.build((None, 4))
    with pytest.raises(ValueError, match=r"^input_shape: the net is built for samples of shape"):
        model.build((None, 5))


def test_a_clone_with_things_that_cannot_be_saved():
    model = Sequential(
        [layers.Input(4), layers.Dense(3, kernel_initializer=lambda s, i, o, r: np.ones(s)),
         Scale(2.0)],
    )  # fmt: skip
    other = models.clone_model(model)
    assert (other.get_weights()[0] == 1).all()
    assert other.layers[1].factor == 2.0
    assert other.layers[1] is not model.layers[1]


def test_a_clone_with_other_layers():
    model = Sequential([layers.Input(4), layers.Dense(3, name="first"), layers.Dense(2)])

    def wider(layer):
        config = layer.get_config()
        if config["name"] == "first":
            config["units"] = 7
        return type(layer).from_config(config)

    other = models.clone_model(model, clone_function=wider)
    assert [w.shape for w in other.get_weights()] == [(4, 7), (7,), (7, 2), (2,)]
    with pytest.raises(TypeError, match="^model: expected a Sequential"):
        models.clone_model(3)
    with pytest.raises(TypeError, match="^clone_function: expected a function"):
        models.clone_model(model, clone_function=3)
