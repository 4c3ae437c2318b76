"""The first question's words follow the numbers: other outcomes, other verdicts."""

import pytest

from fastmlp.experiments import q1
from fastmlp.experiments.q1 import claims, critique, cures, depth_map
from tests.experiments.labs import lab, pretend


def lab_where(is_stuck):
    it = lab(q1)
    for activation in depth_map.DEPTHS:
        pretend(it, depth_map.nets(it, activation), is_stuck)
    return it


def with_cures(it, is_stuck):
    for case in cures.cases(it):
        pretend(it, [cure.apply(net) for cure in cures.CURES for net in case.failed], is_stuck)
    return it


def test_claims_that_hold_are_confirmed():
    it = lab_where(lambda net: net.depth >= claims.DEPTHS[net.activation])
    text = critique.describe(it).text
    assert text.count("layers: confirmed") == 3


def test_a_border_that_lies_earlier_is_named():
    it = lab_where(lambda net: net.depth >= 3)
    text = critique.describe(it).text
    assert text.count("too deep: it stops earlier") == 3
    assert text.count("The depth at which it stops is 3 (2 of 2 stuck)") == 3


def test_a_border_that_lies_later_is_named():
    it = lab_where(lambda net: net.depth > claims.DEPTHS[net.activation])
    assert critique.describe(it).text.count("too shallow: it stops later") == 3


def test_nets_that_all_learn_need_no_cure():
    it = lab_where(lambda net: False)
    text = critique.describe(it).text
    assert text.count("not confirmed") == 3
    assert "nothing to compare" in text
    assert cures.cases(it) == []
    assert "Cures for" not in text


@pytest.mark.parametrize(("works", "words"), [(True, "16 of 16 work"), (False, "0 of 16 work")])
def test_cures_are_judged_by_their_nets(works, words):
    it = lab_where(lambda net: net.depth >= claims.DEPTHS[net.activation])
    failed = {net for case in cures.cases(it) for net in case.failed}
    with_cures(it, lambda net: net in failed or not works)
    text = critique.describe(it).text
    tanh = next(line for line in text.splitlines() if "Cures for tanh" in line)
    assert words.replace("16", str(len(cures.CURES))) in tanh


def test_half_of_the_seeds_is_the_border():
    it = lab_where(lambda net: net.depth == 2 and net.seed == 0)
    assert [border.onset for border in depth_map.borders(it)] == [2, 2, 2]
