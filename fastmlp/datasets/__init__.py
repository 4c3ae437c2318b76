"""Data sets: real images, found where they lie or fetched."""

import os

from ..runtime.lookup import by_name
from . import digits, fashion_mnist
from .dataset import Dataset, DatasetNotFoundError

__all__ = ["Dataset", "DatasetNotFoundError", "digits", "fashion_mnist", "load"]

_MODULES = {
    "auto": fashion_mnist,
    fashion_mnist.NAME: fashion_mnist,
    digits.NAME: digits,
}


def load(name: str = "auto") -> Dataset:
    """Return a data set by name.

    Parameters
    ----------
    name : {"auto", "fashion-mnist", "digits"}
        "auto" is Fashion-MNIST, or if it is not to be had the digits, with a ``note`` that says
        so.  A data set that is named is found, or an error says why not.

    Raises
    ------
    DatasetNotFoundError
        If it is not to be had.
    ValueError
        If the name is unknown, or a file is corrupt.
    """
    module = by_name("dataset", name, _MODULES)
    note = ""
    try:
        train, test = module.load_data()
    except DatasetNotFoundError as reason:
        if name != "auto":
            raise
        module = digits
        train, test = module.load_data()
        note = (
            "Fashion-MNIST was not to be had, so this uses scikit-learn's handwritten digits "
            f"(1,797 images of 8 x 8): {str(reason).splitlines()[-1]}"
        )
        if chosen := os.environ.get("FASTMLP_DATA"):
            note += f" FASTMLP_DATA is {chosen!r}, and the files are not there."
    return Dataset(module.NAME, train, test, module.CLASSES, module.SCALE, note)
