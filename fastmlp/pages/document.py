"""A report as one file: everything that it needs is in it."""

import base64
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from markdown_it import MarkdownIt

from .charts import Chart

# Nothing may be loaded, from anywhere; Vega compiles its expressions.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data:"
)
_FAVICON = "data:,"


@dataclass(frozen=True)
class PageFigure:
    """A figure of a page: interactive, or a picture.

    Attributes
    ----------
    name, caption : str
    content : Chart or bytes
        Bytes are those of a PNG file.
    """

    name: str
    caption: str
    content: Chart | bytes


@dataclass(frozen=True)
class PageSection:
    """A part of a page; ``body`` is HTML."""

    title: str
    body: str
    figures: Sequence[PageFigure] = ()


def read(name: str) -> str:
    """Return a file of the pages' static or vendored ones."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def from_markdown(text: str) -> str:
    """Return Markdown as HTML, with tables that scroll where they are too wide for the page."""
    made = str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
    return made.replace("<table>", _SCROLL + "<table>").replace("</table>", "</table></div>")


_SCROLL = '<div class="scroll" tabindex="0" role="region" aria-label="Table">'


def facts(pairs: Mapping[str, str]) -> str:
    """Return a table of names and values, as HTML."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in pairs.items()
    )
    return f'{_SCROLL}<table class="facts">{rows}</table></div>'


def command(text: str) -> str:
    """Return a command as HTML."""
    return f'<pre tabindex="0"><code>{html.escape(text)}</code></pre>'


def to_html(
    title: str, preface: str, sections: Sequence[PageSection], footer: str = "", style: str = ""
) -> str:
    """Return a whole page; ``preface`` and ``footer`` are HTML, ``style`` is more CSS."""
    anchors = _anchors(section.title for section in sections)
    contents = "".join(
        f'<li><a href="#{anchor}">{html.escape(section.title)}</a></li>'
        for anchor, section in zip(anchors, sections, strict=True)
    )
    body = "\n".join(
        f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{html.escape(section.title)}</h2>'
        f"\n{section.body}\n{''.join(map(_figure, section.figures))}</section>"
        for anchor, section in zip(anchors, sections, strict=True)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{html.escape(title)}</title>
<link rel="icon" href="{_FAVICON}">
<style>{read("static/theme.css")}{read("static/report.css")}{style}</style>
</head>
<body>
<header><h1>{html.escape(title)}</h1>
{preface}
<nav aria-label="Contents"><ol>{contents}</ol></nav></header>
<main>
<noscript><p>The figures need JavaScript, which is in this file; the text and tables do not.</p>
</noscript>
{body}
</main>
<footer>{footer}</footer>
{_scripts(sections)}
</body>
</html>
"""


def write(path: Path, page: str) -> None:
    """Write a page."""
    path.write_text(page, encoding="utf-8")


def _figure(figure: PageFigure) -> str:
    said = figure.content.caption if isinstance(figure.content, Chart) else ""
    name = html.escape(figure.name, quote=True)
    words = html.escape(said or figure.caption)
    caption = f"<figcaption><b>Figure {name}.</b> {words}</figcaption>"
    if isinstance(figure.content, bytes):
        data = base64.b64encode(figure.content).decode("ascii")
        alt = html.escape(figure.caption, quote=True)
        picture = f'<img alt="{alt}" src="data:image/png;base64,{data}">'
        return f'<figure id="figure-{name}">{picture}{caption}</figure>\n'
    data = f'<script type="application/json">{figure.content.to_json()}</script>'
    return f'<figure id="figure-{name}" data-chart="{name}">{data}{caption}</figure>\n'


def _scripts(sections: Iterable[PageSection]) -> str:
    """Return what draws the figures, if there are any to draw."""
    charts = any(isinstance(f.content, Chart) for section in sections for f in section.figures)
    if not charts:
        return ""
    names = ("vendor/vega.min.js", "vendor/vega-lite.min.js", "static/report.js")
    notice = "<!-- Vega and Vega-Lite: (c) University of Washington Interactive Data Lab, BSD-3 -->"
    scripts = (re.sub(r"\n?//# sourceMappingURL=.*", "", read(name)) for name in names)
    return notice + "".join(f"<script>{script}</script>\n" for script in scripts)


def _anchors(titles: Iterable[str]) -> list[str]:
    """Return an identifier for each title, all different."""
    found: list[str] = []
    for title in titles:
        stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        name, number = stem, 2
        while name in found:
            name, number = f"{stem}-{number}", number + 1
        found.append(name)
    return found
