"""A run's report as one page: its words are those of report.md, its figures can be looked into."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..pages.charts import Chart
from ..pages.document import PageFigure, PageSection, command, facts, from_markdown, to_html
from .lab import Lab
from .report import Section

Charts = Mapping[str, Callable[[Lab], Chart]]


def page(
    title: str,
    preface: str,
    sections: Iterable[Section],
    manifest: Mapping[str, Any],
    lab: Lab,
    charts: Charts,
    pictures: Path,
) -> str:
    """Return the page.

    Parameters
    ----------
    title, preface : str
        Markdown.
    sections : sequence of Section
    manifest : dict
        Of the run: what it was asked for, and where it ran.
    lab : Lab
    charts : dict of str to function
        The interactive form of a figure, by its name.
    pictures : Path
        The folder with the figures as PNG files, for those that have no other form.
    """
    sections = list(sections)
    names = [figure.name for section in sections for figure in section.figures]
    made = [
        PageSection(
            section.title,
            _linked(from_markdown(section.text), names),
            [
                PageFigure(
                    f.name,
                    f.caption,
                    charts[f.name](lab)
                    if f.name in charts
                    else (pictures / f"{f.name}.png").read_bytes(),
                )
                for f in section.figures
            ],
        )
        for section in sections
    ]
    made.append(PageSection("How this was made", _origin(manifest)))
    footer = (
        "<p>Figures by Vega-Lite. The numbers are in results.json and epochs.csv beside it.</p>"
    )
    return to_html(title, from_markdown(preface), made, footer)


def _linked(text: str, names: Iterable[str]) -> str:
    """Return HTML in which "Figure NAME" leads there, wherever a figure has that name."""
    listed = "|".join(map(re.escape, names))
    return re.sub(rf"Figure ({listed})\b", r'<a href="#figure-\1">Figure \1</a>', text)


def _origin(manifest: Mapping[str, Any]) -> str:
    """Return the exact command, the settings, the versions and the machine."""
    machine, data = manifest["machine"], manifest["dataset"]
    settings = {
        name.replace("_", " "): _said(value)
        for name, value in manifest["settings"].items()
        if value is not None
    }
    versions = {name: str(version) for name, version in manifest["versions"].items()}
    return (
        "<p>The command:</p>"
        + command(manifest["command"])
        + facts(
            {
                "data": f"{data['name']}: {data['train']:,} training and {data['test']:,} test "
                "samples",
                "backend": str(manifest["backend"]),
                "time": f"{manifest['seconds']:.0f} s, at {manifest['date']}",
                "machine": f"{machine['processor']}, {machine['cores']} cores, {machine['system']}",
                "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
            }
        )
        + f"<details><summary>All settings</summary>{facts(settings)}</details>"
    )


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
