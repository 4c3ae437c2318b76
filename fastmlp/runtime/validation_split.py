"""``validation_split``: the share of the data that a fit sets apart, before it shuffles."""

from .data import Data


def set_apart(data: Data, split: float) -> tuple[Data, Data]:
    """Return the data without their last share, and that, which is to validate.

    Raises
    ------
    ValueError
        If one of the two would be empty.
    """
    count = int(data.count * (1 - split))
    if count in (0, data.count):
        raise ValueError(
            f"validation_split: {split} of {data.count} samples leaves nothing for one of the two"
        )
    return data.part(slice(None, count)), data.part(slice(count, None))
