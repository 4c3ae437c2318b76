"""Bags of nets: each learns from samples of its own, and they answer together."""

from abc import abstractmethod
from typing import Any, NamedTuple, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.metrics import r2_score
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ..runtime.arguments import is_integer, positive_integer, real_number, shown, truth
from ..runtime.tensors import Array
from ..runtime.threads import threads_limited
from .base import READ_X, BaseMLP, dense
from .classifier import MLPClassifier
from .extras import Extras
from .regressor import MLPRegressor
from .settings import checked
from .unchanged import unchanged_after_an_error

_LARGEST_SEED = np.iinfo(np.int32).max


class Uncertainty(NamedTuple):
    """How uncertain a bag of classifiers is of each sample, in nats.

    ``total = data + model`` (Depeweg et al., "Decomposition of Uncertainty in Bayesian Deep
    Learning", ICML 2018).

    Attributes
    ----------
    total : array (n,)
        The entropy of the mean probabilities.
    data : array (n,)
        The mean entropy of the members' probabilities: what they agree to be uncertain of.
    model : array (n,)
        The rest, how much they contradict each other; more samples there would lower it.
    """

    total: Array
    data: Array
    model: Array


class BaseBag(BaseEstimator):  # type: ignore[misc]
    """Use one of the subclasses; they document the arguments and the attributes."""

    estimators_: list[Any]
    estimators_samples_: list[NDArray[np.int64]]
    oob_score_: float

    # Any: scikit-learn has them stored as they are, and checked by fit.
    def __init__(
        self,
        estimator: Any = None,
        n_estimators: Any = 10,
        *,
        max_samples: Any = 1.0,
        bootstrap: Any = True,
        oob_score: Any = False,
        n_jobs: Any = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state

    @abstractmethod
    def _template(self) -> Any:
        """Return the estimator that all members are like."""

    @abstractmethod
    def _judge(self, outputs: Array, seen: NDArray[np.bool_], answers: Array) -> None:
        """Set the out-of-bag attributes, given the mean outputs of the samples that have some."""

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Train all members, side by side.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame (n, features)
        y : array
            As the members take it.

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it should be, or a member's loss is no longer finite; nothing
            has changed then.
        """
        with unchanged_after_an_error(self):
            return self._fit(X, y)

    def _fit(self, X: Any, y: ArrayLike) -> Self:
        count = positive_integer("n_estimators", self.n_estimators)
        bootstrap, judged = truth("bootstrap", self.bootstrap), truth("oob_score", self.oob_score)
        template = self._template()
        settings, extras = checked(template), Extras()
        x, read = template._read_first(X, y, extras, fresh=True)
        answers = template._answers(read)
        size = self._sample_size(len(x))
        if judged and not bootstrap and size == len(x):
            raise ValueError("oob_score: with all samples in each bag, none is out of it")
        self.n_features_in_ = template.n_features_in_
        for name in ("feature_names_in_", "classes_"):
            self.__dict__.pop(name, None)
            if hasattr(template, name):
                setattr(self, name, getattr(template, name))
        random = check_random_state(self.random_state)
        members, bags = [], []
        for _ in range(count):
            seed = int(random.randint(_LARGEST_SEED))
            members.append(_member_like(template, seed))
            bags.append(_bag(seed, len(x), size, bootstrap))

        def train(member: BaseMLP, rows: NDArray[np.int64]) -> BaseMLP:
            return member._learn(x[rows], answers[rows], settings, extras, (), fresh=True)

        self.estimators_ = self._side_by_side(
            [delayed(train)(*pair) for pair in zip(members, bags, strict=True)]
        )
        self.estimators_samples_ = bags
        if judged:
            self._look_outside(x, answers)
        return self

    def _look_outside(self, x: Array, answers: Array) -> None:
        """Let each sample be judged by the members that did not see it."""

        def judge(member: BaseMLP, rows: NDArray[np.int64]) -> tuple[NDArray[np.bool_], Array]:
            outside = np.ones(len(x), np.bool_)
            outside[rows] = False
            with threads_limited(1):
                return outside, member.net_.predict(x[outside]) if outside.any() else np.empty(0)

        judged = self._side_by_side(
            [
                delayed(judge)(*pair)
                for pair in zip(self.estimators_, self.estimators_samples_, strict=True)
            ]
        )
        total: Array = np.zeros((len(x), self.estimators_[0].n_outputs_))
        votes = np.zeros(len(x), np.int64)
        for outside, outputs in judged:  # in their order: the sum's bits are always the same
            if len(outputs):
                total[outside] += outputs
                votes += outside
        seen = votes > 0
        if not seen.any():
            raise ValueError("oob_score: no sample is out of a bag; more n_estimators are needed")
        total[seen] /= votes[seen, None]
        self._judge(total, seen, answers)

    def _side_by_side(self, tasks: list[Any]) -> list[Any]:
        """Run on threads: nets do not hold the interpreter's lock.  By default on all cores."""
        jobs = -1 if self.n_jobs is None else self.n_jobs
        return list(Parallel(n_jobs=jobs, prefer="threads", require="sharedmem")(tasks))

    def _sample_size(self, count: int) -> int:
        """Return how many samples a bag has."""
        given = self.max_samples
        if is_integer(given):
            if not 1 <= given <= count:
                raise ValueError(f"max_samples: expected 1 to {count} samples, got {shown(given)}")
            return int(given)
        share = real_number("max_samples", given, "a share in (0, 1], or an integer", low=0, high=1)
        if share == 0:
            raise ValueError("max_samples: expected a share in (0, 1], or an integer, got 0.0")
        return max(1, round(share * count))

    def _member_outputs(self, X: Any) -> Array:
        """Return the outputs of each member (members, n, outputs) for users' samples."""
        check_is_fitted(self, "estimators_")
        x = dense(validate_data(self, X, **READ_X, reset=False))

        def outputs(member: BaseMLP) -> Array:
            with threads_limited(1):
                return member.net_.predict(x)

        return np.array(self._side_by_side([delayed(outputs)(m) for m in self.estimators_]))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class BaggingMLPClassifier(ClassifierMixin, BaseBag):  # type: ignore[misc]
    """A bag of :class:`MLPClassifier`, each trained on samples drawn anew (Breiman, 1996).

    Parameters
    ----------
    estimator : MLPClassifier, optional
        What each member is like; by default one with its own defaults.
    n_estimators : int, default=10
    max_samples : float in (0, 1] or int, default=1.0
        How many samples a member is given, or which share.
    bootstrap : bool, default=True
        Whether they are drawn with replacement.
    oob_score : bool, default=False
        Whether each sample is judged by the members that were not given it.
    n_jobs : int, optional
        How many members train at once; by default one per core.  It never changes a result.
    random_state : int, RandomState or None, default=None
        Of the samples and of the members; theirs are not asked.

    Attributes
    ----------
    estimators_ : list of MLPClassifier
    estimators_samples_ : list of array
        The indices of each member's samples.
    classes_ : array (classes,)
    oob_score_ : float
        The accuracy on samples that are out of a bag.
    oob_decision_function_ : array (n, classes)
        Their probabilities; NaN for a sample that is in all bags.
    n_features_in_ : int
    feature_names_in_ : array (features,), if the samples have names
    """

    classes_: Array
    oob_decision_function_: Array

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of each sample (n,), or its labels (n, labels) of 0 and 1."""
        answers: Array = self._labels.decode(self._member_outputs(X).mean(axis=0))
        return answers

    def predict_proba(self, X: Any) -> Array:
        """Return the mean of the members' probabilities (n, classes)."""
        found: Array = self._labels.probabilities(self._member_outputs(X).mean(axis=0))
        return found

    def predict_uncertainty(self, X: Any) -> Uncertainty:
        """Return how uncertain the bag is of each sample, and why; of several labels the sum."""
        of_members = self._member_outputs(X).astype(np.float64)
        labels = self._labels
        several = labels.is_multilabel
        probabilities = np.array([labels.probabilities(outputs) for outputs in of_members])
        total = _entropy(probabilities.mean(axis=0), several)
        data = _entropy(probabilities, several).mean(axis=0)
        return Uncertainty(total, data, np.maximum(total - data, 0))

    def _template(self) -> Any:
        return _template_of(self.estimator, MLPClassifier)

    @property
    def _labels(self) -> Any:
        check_is_fitted(self, "estimators_")
        return self.estimators_[0]._labels

    def _judge(self, outputs: Array, seen: NDArray[np.bool_], answers: Array) -> None:
        member = self.estimators_[0]
        found = member._labels.probabilities(outputs)
        found[~seen] = np.nan
        self.oob_decision_function_ = found
        self.oob_score_ = member._score_of(outputs[seen], answers[seen])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class BaggingMLPRegressor(RegressorMixin, BaseBag):  # type: ignore[misc]
    """A bag of :class:`MLPRegressor`, each trained on samples drawn anew (Breiman, 1996).

    Parameters
    ----------
    estimator : MLPRegressor, optional
        What each member is like; by default one with its own defaults.
    n_estimators, max_samples, bootstrap, oob_score, n_jobs, random_state
        As of :class:`BaggingMLPClassifier`.

    Attributes
    ----------
    estimators_ : list of MLPRegressor
    estimators_samples_ : list of array
        The indices of each member's samples.
    oob_score_ : float
        R² on samples that are out of a bag.
    oob_prediction_ : array (n,) or (n, outputs)
        What the members that were not given a sample predict; NaN if all were.
    n_features_in_ : int
    feature_names_in_ : array (features,), if the samples have names
    """

    oob_prediction_: Array

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the mean of the members' outputs (n,), or (n, outputs).

        Parameters
        ----------
        X : array, sparse matrix or DataFrame (n, features)
        return_std : bool, default=False
            Whether to return a pair of it and the members' standard deviation, of the same shape:
            how much they contradict each other, which does not include noise of the answers.
        """
        outputs = self._member_outputs(X)
        outputs = outputs[..., 0] if outputs.shape[2] == 1 else outputs
        mean = outputs.mean(axis=0)
        return (mean, outputs.std(axis=0)) if truth("return_std", return_std) else mean

    def _template(self) -> Any:
        return _template_of(self.estimator, MLPRegressor)

    def _judge(self, outputs: Array, seen: NDArray[np.bool_], answers: Array) -> None:
        self.oob_score_ = float(r2_score(answers[seen], outputs[seen]))
        outputs[~seen] = np.nan
        self.oob_prediction_ = outputs[:, 0] if outputs.shape[1] == 1 else outputs


def _template_of(given: Any, kind: type[Any]) -> Any:
    """Return a new estimator like the one that was given."""
    if given is None:
        return kind()
    if not isinstance(given, kind):
        raise TypeError(
            f"estimator: expected a fastmlp.sklearn.{kind.__name__}, got {shown(given)}"
        )
    if given.warm_start:
        raise ValueError("estimator: warm_start=True has no effect in a bag")
    return clone(given)


def _member_like(template: Any, seed: int) -> Any:
    """Return a member of a bag, which knows the answers' classes, be they in its bag or not."""
    member = clone(template).set_params(random_state=seed)
    for name in ("_labels", "classes_", "n_features_in_", "feature_names_in_"):
        if hasattr(template, name):
            setattr(member, name, getattr(template, name))
    return member


def _bag(seed: int, count: int, size: int, bootstrap: bool) -> NDArray[np.int64]:
    """Return the indices of a bag's samples, in their order."""
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    drawn = random.integers(0, count, size) if bootstrap else random.permutation(count)[:size]
    return np.sort(drawn)


def _entropy(probabilities: Array, several: bool) -> Array:
    """Return the entropy over the last axis; or the sum of those of yes-or-no questions."""
    p = probabilities
    terms = -_x_log_x(p) - (_x_log_x(1 - p) if several else 0)
    total: Array = terms.sum(axis=-1)
    return total


def _x_log_x(x: Array) -> Array:
    logarithms: Array = np.log(np.where(x > 0, x, 1))
    return x * logarithms
