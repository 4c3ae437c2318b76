"""What the report on tables makes of its runs."""

import numpy as np
import pytest

from bench.tabular.report import Report

RUNS = {
    "digits / fastmlp MLP": {"error": 0.02, "fit": 1.0, "fit_of_cores": 1.0, "predict": 0.1},
    "digits / scikit-learn MLP": {"error": 0.04, "fit": 8.0, "fit_of_cores": 8.0, "predict": 0.1},
    "vowel / fastmlp MLP": {"error": 0.2, "fit": 1.0, "fit_of_cores": 1.0, "predict": 0.1},
    "vowel / scikit-learn MLP": {"error": 0.1, "fit": 2.0, "fit_of_cores": 2.0, "predict": 0.1},
    "ring / fastmlp MLP": {"error": 0.0, "fit": 2.0, "fit_of_cores": 2.0, "predict": 0.1},
    "ring / scikit-learn MLP": {"error": 0.1, "fit": 2.0, "fit_of_cores": 2.0, "predict": 0.1},
    "ring / LightGBM": {"error": 0.05, "fit": 2.0, "fit_of_cores": 2.0, "predict": 0.1},
}


def test_ranks_are_those_of_the_peers_that_most_tables_have():
    report = Report(RUNS)
    assert report.peers == ["fastmlp MLP", "scikit-learn MLP"]
    assert report.tables == ["digits", "ring", "vowel"]
    np.testing.assert_allclose(report.ranks, [4 / 3, 5 / 3])
    # An error of 0 counts as a thousandth.
    np.testing.assert_allclose(report.relative_errors, [2 ** (1 / 3), 200 ** (1 / 3)])


def test_pairs_share_tables():
    (row,) = Report(RUNS).pairs()[2:]
    words = [word.strip() for word in row.split("|")[1:-1]]
    assert words[0] == "fastmlp MLP against scikit-learn MLP"
    tables, error, better, median, least, most = map(float, words[1:])
    assert (tables, better, median, least, most) == (3, 2, 2, 1, 8)
    assert error == pytest.approx((0.5 * 2 * 0.01) ** (1 / 3), abs=1e-3)


def test_a_peer_that_was_not_there_leaves_a_gap():
    assert Report(RUNS).errors()[2] == "| digits | 0.0200 | 0.0400 |  |"


def test_one_table_has_no_ranks():
    assert not Report({"digits / fastmlp MLP": RUNS["digits / fastmlp MLP"]}).is_enough
