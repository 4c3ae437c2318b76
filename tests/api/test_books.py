"""What books and courses type works: more than nine tenths of it."""

import io
import sys
from contextlib import redirect_stdout

from fastmlp import backends

from .book_calls import PRELUDE, calls


def failures():
    """Return the calls that fail, each with its error."""
    prelude, failed = compile(PRELUDE, "prelude", "exec"), []
    for chapter, line in calls():
        names = {}
        try:
            with redirect_stdout(io.StringIO()):
                exec(prelude, names)  # of our own file
                exec(line, names)
        except Exception as error:
            failed.append((chapter, line, f"{type(error).__name__}: {error}"))
    return failed


def test_what_books_type(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backends, "_in_use", "numpy")
    failed = failures()
    share = 1 - len(failed) / len(calls())
    report = "\n".join(f"{line}\n    {error}" for _, line, error in failed)
    assert share > 0.95, f"{share:.1%} of {len(calls())} calls work; not:\n{report}"


if __name__ == "__main__":
    sys.stdout.write("\n".join(map(str, failures())) + "\n")
