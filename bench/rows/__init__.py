"""The rows of the benchmark, one kind a file; each is a function of a :class:`bench.stage.Stage`.

A row is a dict, as it is written to ``results.json``: ``title``, ``unit``, ``cores``, and per
peer an entry with the spread of what was measured and of its ratio to the first peer's.
"""

from bench.rounds import ratio, spread


def make_row(
    title: str, unit: str, cores: int, values: dict[str, list[float]], **extra: object
) -> dict:
    """Return a row; the first of ``values`` is what the others are compared with."""
    base = next(iter(values.values()))
    entries = [
        {"name": name, "value": spread(measured), "ratio": ratio(measured, base)}
        for name, measured in values.items()
    ]
    return {"title": title, "unit": unit, "cores": cores, "entries": entries, **extra}
