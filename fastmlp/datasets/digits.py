"""scikit-learn's handwritten digits: 1,797 images of 8 x 8 pixels, no download needed."""

import numpy as np

from .dataset import DatasetNotFoundError, Split

NAME = "digits"
CLASSES = tuple("0123456789")
SCALE = 1 / 16

_TEST_SIZE = 360
_SPLIT_SEED = 0


def load_data() -> tuple[Split, Split]:
    """Return ``(x_train, y_train), (x_test, y_test)``: 1,437 and 360 images.

    Images are uint8 (n, 8, 8) from 0 to 16, labels uint8 (n,).  The split is always the same,
    with equal shares of the classes.

    Raises
    ------
    DatasetNotFoundError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as reason:
        raise DatasetNotFoundError(
            "digits: comes with scikit-learn, which is not installed; "
            "pip install 'fastmlp[experiments]' brings it"
        ) from reason
    bunch = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(
        bunch.images.astype(np.uint8),
        bunch.target.astype(np.uint8),
        test_size=_TEST_SIZE,
        random_state=_SPLIT_SEED,
        stratify=bunch.target,
    )
    return (x_train, y_train), (x_test, y_test)
