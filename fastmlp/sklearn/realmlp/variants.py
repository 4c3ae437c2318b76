"""The settings of the paper, for classes and for numbers: tables A.1 to A.3."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """What a variant of RealMLP does when nothing else is said.

    Attributes
    ----------
    learning_rate : float
        The highest.
    activation : str
    label_smoothing : float
        Of classes.
    dropout : float
        After each hidden layer, at first.
    weight_decay : float
        At first.
    mixes : bool
        Whether each unit learns how much of the activation there is.
    starts_from_data : bool
        Whether first weights and biases follow from samples; else they are normal numbers, and 0 in
        the last layer.
    largest_one_hot : int, optional
        Up to so many categories have an input each; a column with more of them is embedded.
    embeds_numbers : bool
        Whether numbers are embedded.
    clamps : bool
        Whether predicted numbers stay within those that were learned from.
    """

    learning_rate: float
    activation: str
    label_smoothing: float = 0.0
    dropout: float = 0.0
    weight_decay: float = 0.0
    mixes: bool = False
    starts_from_data: bool = False
    largest_one_hot: int | None = None
    embeds_numbers: bool = False
    clamps: bool = False


OF_CLASSES = {
    "td": Variant(
        0.04, "selu", 0.1, 0.15, 0.02, mixes=True, starts_from_data=True, largest_one_hot=8,
        embeds_numbers=True,
    ),
    "td-s": Variant(0.04, "selu", 0.1),
}  # fmt: skip
OF_NUMBERS = {
    "td": Variant(
        0.2, "mish", 0.0, 0.15, 0.02, mixes=True, starts_from_data=True, largest_one_hot=8,
        embeds_numbers=True, clamps=True,
    ),
    "td-s": Variant(0.07, "mish"),
}  # fmt: skip

# What the learning rate of some weights is multiplied with.
BIAS_RATE = 0.1
SCALE_RATE = 6.0
MIX_RATE = 0.1
EMBEDDED_NUMBERS_RATE = 0.1

BETA_1, BETA_2, EPSILON = 0.9, 0.95, 1e-8
