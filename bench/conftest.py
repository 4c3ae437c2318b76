"""Pins the process to one core, and prints rates.

They replace pytest-benchmark's own table, whose times are of runs of many calls.
"""

import os

if hasattr(os, "sched_setaffinity"):  # before NumPy is imported, which counts cores
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def pytest_configure(config):
    config.option.benchmark_quiet = True


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    rates = [mark for mark in session.benchmarks if mark.extra_info] if session else []
    if not rates:
        return
    terminalreporter.section("rate on one core, and share of what the machine can do")
    for mark in rates:
        name, roof, share = (mark.extra_info[key] for key in ("kernel", "roof", "share"))
        unit = "GFLOP/s" if "GFLOP/s" in mark.extra_info else "GB/s"
        terminalreporter.write_line(
            f"{name:55} {mark.extra_info[unit]:8.1f} {unit:8} {share:7.1%} of {roof}"
        )
