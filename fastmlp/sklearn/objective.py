"""What an estimator minimizes: a loss of fastmlp, and the factors to scikit-learn's scales."""

from dataclasses import dataclass

from .. import losses

# As in scikit-learn, the loss of a batch is the mean over its samples, each as often as it counts.
WEIGHTED_MEAN = "mean_with_sample_weight"


@dataclass(frozen=True)
class Objective:
    """A loss, the activation before it, and how its figures become scikit-learn's.

    fastmlp's losses are means over a sample's outputs.  scikit-learn's gradients are sums over
    them, and its figures are now sums, now means.

    Attributes
    ----------
    loss : fastmlp.losses.Loss
    output : {"linear", "sigmoid", "softmax", "exponential"}
        The activation of the last layer.
    figure : float
        ``loss_`` without penalties is this times fastmlp's loss.
    slope : float
        scikit-learn's gradient is this times fastmlp's.
    offset : float
        What ``loss_`` has more than that: of "poisson", what makes it 0 where all is right.
    """

    loss: losses.Loss
    output: str
    figure: float = 1.0
    slope: float = 1.0
    offset: float = 0.0

    def loss_of(self, figures: dict[str, float]) -> float:
        """Return ``loss_``, penalties included, for the figures of an epoch or an evaluation."""
        data = figures.get("data_loss", figures["loss"])
        return self.figure * data + self.slope * (figures["loss"] - data) + self.offset
