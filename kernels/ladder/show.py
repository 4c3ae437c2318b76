"""How a ladder looks in a terminal."""

import statistics

from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from .machine_code import count, inner_loop
from .measure import ABOVE, Limits
from .step import Ladder

LEXERS = {"asm": "gas", "llvm": "llvm"}


def show_ladder(
    console: Console, name: str, ladder: Ladder, rates: list[list[float]], limits: Limits
) -> None:
    """Print a ladder's steps: the idea, the rate, what limits it, and the source of each."""
    console.rule(f"[bold]{ladder.title}", align="left", characters="=")
    console.print(Padding(Text(ladder.question, "italic"), (1, 0)))
    for number, (step, own) in enumerate(zip(ladder.steps, rates, strict=True), start=1):
        rate = f"{statistics.median(own):.3g} {ladder.unit}"
        console.rule(f"[bold]{number}  {name}/{step.name}[/]  {rate}", align="left")
        console.print(step.idea)
        console.print(limits.verdict(step, statistics.median(own)))
        if step.rejected:
            console.print(f"Rejected: {step.rejected}", style="yellow")
        console.print(
            Padding(_highlighted(step.source, "c" if step.c_source else "python"), (1, 0))
        )


def rates_table(
    name: str,
    ladder: Ladder,
    rates: list[list[float]],
    limits: Limits,
    peers: dict[str, list[float]],
) -> Table:
    """Lay out each step's median rate, its spread, and what it is to the first and to its roof."""
    table = Table(title=ladder.title, title_justify="left", title_style="bold")
    first, *others = rates_columns(name, ladder)
    table.add_column(first, no_wrap=True)
    for column in others:
        table.add_column(column, justify="right")
    rows = rates_rows(name, ladder, rates, limits, peers)
    for step, row in zip(ladder.steps, rows, strict=False):
        table.add_row(
            *row, style="dim" if step.rejected else "bold" if step is ladder.steps[-1] else ""
        )
    table.add_section()
    for row in rows[len(ladder.steps) :]:
        table.add_row(*row)
    return table


def rates_columns(name: str, ladder: Ladder) -> list[str]:
    """Return what the columns of a ladder's rates are called."""
    return [name, ladder.unit, "spread", "x first", "roof", "of it"]


def rates_rows(
    name: str,
    ladder: Ladder,
    rates: list[list[float]],
    limits: Limits,
    peers: dict[str, list[float]],
) -> list[list[str]]:
    """Return the rates of the steps, and of the peers after them, in words."""
    first, peak = statistics.median(rates[0]), limits.peak / ladder.steps[-1].flops
    measured = [
        *((s.name, own, limits.roof(s)) for s, own in zip(ladder.steps, rates, strict=True)),
        *((f"NumPy, {title}", peers[key], peak) for key, title in _peers(name, ladder)),
    ]
    found = []
    for title, own, roof in measured:
        rate = statistics.median(own)
        found.append(
            [title, f"{rate:.3g}", _spread(own), f"{rate / first:.3g}", f"{roof:.3g}",
             _share(rate, roof)]
        )  # fmt: skip
    return found


def peers_of(name: str, ladder: Ladder, peers: dict[str, list[float]]) -> list[list[float]]:
    """Return the rates of the peers that a ladder's table shows."""
    return [peers[key] for key, _ in _peers(name, ladder)]


def _peers(name: str, ladder: Ladder) -> list[tuple[str, str]]:
    same = (name, "the same")
    return [same, ("large", "1024 cubed")] if ladder.unit == "GFLOP/s" else [same]


def _share(rate: float, roof: float) -> str:
    """Write a share of a roof, with a mark where that roof was measured too low."""
    return f"{rate / roof:.0%}" + (" (!)" if rate / roof > ABOVE else "")


def above_the_roof(
    ladder: Ladder, rates: list[list[float]], limits: Limits, peers: list[list[float]]
) -> str:
    """Say what stands above its roof, which the table marks with (!); empty if nothing does."""
    names = [
        step.name
        for step, own in zip(ladder.steps, rates, strict=True)
        if statistics.median(own) / limits.roof(step) > ABOVE
    ]
    peak = limits.peak / ladder.steps[-1].flops
    if any(statistics.median(own) / peak > ABOVE for own in peers):
        names.append("NumPy")
    if not names:
        return ""
    return (
        f"(!) Above the roof: {', '.join(names)}. Nothing can be faster than its roof, so the "
        "roof was measured too low, or other programs disturbed the measurement: measure again."
    )


def _spread(rates: list[float]) -> str:
    return f"{min(rates):.3g} to {max(rates):.3g}"


def limits_line(limits: Limits) -> str:
    return (
        f"One core, measured: {limits.peak:.4g} GFLOP/s in multiply-adds; {limits.cache:.3g} GB/s "
        f"from the first cache, {limits.home:.3g} GB/s from a block as large as all arrays "
        "together. "
        f"Below {limits.peak / limits.cache:.2g} FLOP for each byte loaded, loads from the first "
        "cache are the lower roof; above, arithmetic is."
    )


def show_code(
    console: Console, title: str, functions: list[str], language: str, whole: bool
) -> None:
    """Print a kernel's inner loop, or all of it, and what x86-64 instructions are in both."""
    loop = inner_loop(functions, language)
    code = "\n\n".join(functions) if whole else "\n".join(loop)
    console.print(Text(f"{title}: {'all of it' if whole else 'the inner loop'}", "bold"))
    console.print(_highlighted(code, LEXERS[language]))


def counts_table(functions: list[str]) -> Table:
    """Count the instructions of the inner loop, and of all functions together."""
    table = Table("", "inner loop", "all of it", title="Instructions (x86-64)", title_style="bold")
    loop = count(inner_loop(functions, "asm"))
    for kind, number in count("\n".join(functions).splitlines()).items():
        table.add_row(kind, str(loop[kind]), str(number))
    return table


def _highlighted(code: str, lexer: str) -> Syntax:
    return Syntax(code, lexer, theme="ansi_dark", background_color="default", word_wrap=True)
