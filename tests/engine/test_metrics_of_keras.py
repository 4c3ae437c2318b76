"""Metrics have the numbers that Keras 3.15 gives for the same outputs, without weights and with."""

import numpy as np
import pytest

from fastmlp import Sequential, layers, metrics
from fastmlp.layers import Dense
from tests.backends import ALL

from .nets import LOGITS

RNG = np.random.default_rng(0)
OUTPUTS = RNG.random((41, 4))
YES = (RNG.random((41, 4)) < 0.4) * 1.0
WEIGHTS = RNG.random(41)
LABELS = RNG.integers(0, 4, 41)

# In batches of 16, in float64: as one of ``metrics``, and as one of ``weighted_metrics``.
OF_TARGETS = {
    "AUC()": (0.500589225589, 0.527660016292),
    "AUC(curve='PR')": (0.331122070717, 0.327465128699),
    "AUC(curve='PR', summation_method='majoring')": (0.338068274894, 0.338757495344),
    "AUC(20, summation_method='minoring')": (0.473400673401, 0.503636376525),
    "AUC(curve='PRGAIN')": (-0.0184355152426, -0.00361952611736),
    "AUC(multi_label=True)": (0.489492565393, 0.518615603447),
    "AUC(multi_label=True, label_weights=[0.1, 0.2, 0.3, 0.4])": (0.481485672929, 0.515158618449),
    "AUC(label_weights=[0.1, 0.2, 0.3, 0.4])": (0.490621693122, 0.527813755447),
    "AUC(thresholds=[0.2, 0.3, 0.35, 0.5, 0.9])": (0.505976430976, 0.539071873795),
    "AUC(from_logits=True)": (0.499663299663, 0.527993739861),
    "Precision()": (0.329545454545, 0.32841271533),
    "Precision(0.3)": (0.319327731092, 0.334258202033),
    "Precision(top_k=2)": (0.292682926829, 0.280323789955),
    "Precision(class_id=1)": (0.458333333333, 0.486539046695),
    "Recall()": (0.537037037037, 0.562482802477),
    "Recall(0.7, top_k=2, class_id=3)": (0.230769230769, 0.319536661248),
    "TruePositives()": (29, 14.0654619212),
    "FalsePositives(0.3)": (81, 38.4501277065),
    "TrueNegatives()": (51, 24.2723891499),
    "FalseNegatives(0.45)": (22, 8.71198466062),
    "SensitivityAtSpecificity(0.5)": (0.481481481481, 0.498802369102),
    "SpecificityAtSensitivity(0.3)": (0.636363636364, 0.629492048205),
    "PrecisionAtRecall(0.4)": (0.346153846154, 0.362599074081),
    "RecallAtPrecision(0.45)": (0.0185185185185, 0),
    "F1Score('macro', 0.45)": (0.420179694891, 0.451871484518),
    "F1Score('micro')": (0.273684173822, 0.291441589594),
    "F1Score('weighted')": (0.272713005605, 0.284174974155),
    "FBetaScore('weighted', 2.0, 0.5)": (0.477440009251, 0.493596061343),
    "BinaryAccuracy(threshold=0.4)": (0.451219512195, 0.490638908997),
    "Accuracy()": (0, 0),
    "R2Score()": (-0.629917263985, -0.572361528873),
    "R2Score('variance_weighted_average')": (-0.617412077418, -0.563734568436),
    "RootMeanSquaredError()": (0.593426623538, 0.581679528454),
    "MeanAbsolutePercentageError()": (355507911.28, 358809706.467),
    "MeanSquaredLogarithmicError()": (0.179215209059, 0.172920431734),
    "LogCoshError()": (0.160515097674, 0.154566420338),
    "CosineSimilarity()": (0.440280671095, 0.435730867593),
    "Poisson()": (0.829219879174, 0.789409479696),
    "KLDivergence()": (1.19476834711, 1.00170720148),
    "Hinge()": (1.18048888009, 1.17863763108),
    "SquaredHinge()": (1.7339026768, 1.73555112742),
    "CategoricalHinge()": (1.09796598789, 1.07963808284),
    "TopKCategoricalAccuracy(2)": (0.463414634146, 0.450640096468),
    "CategoricalAccuracy()": (0.268292682927, 0.277057283782),
}
OF_LABELS = {
    "SparseTopKCategoricalAccuracy(2)": (0.512195121951, 0.598162117704),
    "SparseTopKCategoricalAccuracy()": (1, 1),
    "SparseCategoricalAccuracy()": (0.170731707317, 0.210168926516),
}


def given(expression, name):
    kind, arguments = expression.split("(", 1)
    return eval(f"metrics.{kind}({arguments[:-1]}{', ' * (arguments != ')')}name={name!r})")


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize(
    ("numbers", "loss", "y"),
    [(OF_TARGETS, "mse", YES), (OF_LABELS, "logits", LABELS)],
    ids=["targets", "labels"],
)
def test_they_are_keras_numbers(numbers, loss, y, backend):
    model = Sequential(
        [layers.Input(4), Dense(4, kernel_initializer="identity")], dtype="float64", backend=backend
    )
    if loss == "logits":
        loss = LOGITS
    plain = [given(expression, f"plain {i}") for i, expression in enumerate(numbers)]
    weighted = [given(expression, f"weighted {i}") for i, expression in enumerate(numbers)]
    model.compile("sgd", loss, metrics=plain, weighted_metrics=weighted)
    _, *found = model.evaluate(OUTPUTS, y, 16, sample_weight=WEIGHTS)
    for expression, *both in zip(numbers, found, found[len(numbers) :], strict=False):
        # Keras has thresholds in float32.
        assert both == pytest.approx(list(numbers[expression]), rel=2e-7), expression


def test_names_are_keras():
    names = [
        "auc",
        "Precision",
        "recall",
        "f1_score",
        "mape",
        "r2_score",
        "KLDivergence",
        "logcosh",
    ]
    model = Sequential([layers.Input(4), Dense(4, "sigmoid")])
    model.compile("sgd", "mse", metrics=[*names, metrics.TruePositives, metrics.F1Score(name="f")])
    shown = list(model.evaluate(OUTPUTS, YES, return_dict=True))
    assert shown == ["loss", *names, "true_positives", "f"]
    assert list(model.fit(OUTPUTS, YES, verbose=0).history) == shown


def test_they_cost_no_steps_of_the_net():
    """What is counted changes no weight."""
    models = [Sequential([layers.Input(4), Dense(4, "sigmoid")], seed=0) for _ in range(2)]
    for model, chosen in zip(models, ([], ["auc", "f1_score", "kl_divergence"]), strict=True):
        model.compile("adam", "bce", metrics=chosen)
        model.fit(OUTPUTS, YES, 8, 3, 0)
    np.testing.assert_array_equal(models[0].params, models[1].params)


REFUSED = [
    (lambda: metrics.Precision([0.3, 0.5]), r"^thresholds: expected a single number"),
    (lambda: metrics.Recall(top_k=0), r"^top_k: expected a positive integer"),
    (lambda: metrics.Recall(class_id=-1), r"^class_id: expected the number of an output"),
    (lambda: metrics.AUC(1), r"^num_thresholds: expected an integer of at least 2"),
    (lambda: metrics.AUC(curve="ROCK"), r"^curve: 'ROCK' is unknown"),
    (lambda: metrics.AUC(thresholds=[2]), r"^thresholds: expected numbers from 0 to 1"),
    (lambda: metrics.AUC(num_labels=2), r"^num_labels: needs multi_label=True"),
    (lambda: metrics.F1Score(None), r"^average: expected one of 'micro', 'macro', 'weighted'"),
    (lambda: metrics.F1Score(threshold=0), r"^threshold: expected a number above 0"),
    (lambda: metrics.R2Score("none"), r"^class_aggregation: 'none' is unknown"),
    (lambda: metrics.PrecisionAtRecall(1.5), r"^recall: expected a number from 0 to 1"),
    (lambda: metrics.TopKCategoricalAccuracy(0), r"^k: expected a positive integer"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_arguments_are_checked(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_what_does_not_fit_the_net_is_refused():
    model = Sequential([layers.Input(4), Dense(4, "sigmoid")])
    for metric, message in [
        (metrics.Precision(class_id=4), r"^metrics: the class_id of 'precision' is 4, and the net"),
        (metrics.AUC(label_weights=[1, 2]), r"^metrics: 'auc' has label_weights for 2 outputs"),
        (
            metrics.CategoricalCrossentropy(),
            r"^metrics: 'categorical_cross.* needs a net",
        ),
        (metrics.SparseTopKCategoricalAccuracy(), r"compares with integer labels"),
        (metrics.SparseCategoricalCrossentropy(), r"compares with integer labels"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.compile("sgd", "bce", metrics=[metric])
        assert model.loss is None
    labels = Sequential([layers.Input(4), Dense(4)])
    for name in ("auc", "f1_score", "r2_score", "hinge", "precision"):
        with pytest.raises(ValueError, match=rf"^metrics: '{name}' compares with targets"):
            labels.compile("sgd", LOGITS, metrics=[name])
