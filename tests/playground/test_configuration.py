"""What a link may say, what net it makes, and the code that makes the same net."""

import pytest

from fastmlp.playground import data
from fastmlp.playground.configuration import Configuration, ConfigurationError

LINKS = [
    "",
    "data=spirals&noise=0.2&hidden=12:relu,12:relu&residual=1&normalized=1&dropout=0.1",
    "data=blobs&hidden=&optimizer=adam&rate=0.01&schedule=cosine&epochs=7",
    "data=digits&hidden=9:tanh&init=he_normal&l1=0.001&l2=0.01&momentum=0.9&schedule=one_cycle",
    "data=circles&hidden=4:sigmoid,8:elu&optimizer=lion&schedule=exponential&batch=10&seed=3",
]


@pytest.mark.parametrize("link", LINKS)
def test_the_exported_code_makes_the_same_net(link):
    wanted = Configuration.parse(link)
    assert Configuration.parse(wanted.query()) == wanted
    problem = data.load(wanted.data, wanted.noise)
    before_training = wanted.code(problem).partition("history =")[0]
    names: dict = {}
    exec(before_training, names)
    theirs, ours = names["model"], wanted.build(problem)
    assert theirs.get_config() == ours.get_config()
    assert theirs.get_compile_config() == ours.get_compile_config()
    assert (theirs.params == ours.params).all()


def test_the_exported_code_runs(capsys):
    wanted = Configuration.parse("data=moons&epochs=2")
    exec(wanted.code(data.load("moons")), {})
    assert "accuracy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("data=mnist", "data: expected one of moons, circles"),
        ("hidden=10", "hidden: layer 1: expected units and activation as in 10:tanh, got '10'"),
        ("hidden=10:tanh,0:relu", "hidden: layer 2: expected 1 to 512, got 0"),
        ("hidden=10:softmax", "expected one of linear, sigmoid"),
        ("hidden=" + ",".join(["1:relu"] * 33), "at most 32 hidden layers, got 33"),
        ("rate=nan", "rate: expected a number from 1e-06 to 100, got 'nan'"),
        ("rate=", "rate: expected a number"),
        ("epochs=1e3", "epochs: expected a whole number, got '1e3'"),
        ("epochs=9" + "9" * 30, "epochs: expected a whole number"),
        ("dropout=1", "dropout: expected a number from 0 to 0.95"),
        ("normalized=yes", "normalized: expected one of 0, 1"),
        ("colour=red", "'colour': there is no such setting"),
        ("rate=1&rate=2", "rate: expected once"),
        ("rate", "link: "),
        ("hidden=" + "1" * 5000, "at most 4,000 letters"),
    ],
)
def test_a_bad_link_is_told_what_is_wrong(link, words):
    with pytest.raises(ConfigurationError) as refused:
        Configuration.parse(link)
    assert words in str(refused.value)


def test_a_net_may_not_be_too_large():
    wanted = Configuration.parse("data=moons&hidden=" + ",".join(["512:relu"] * 10))
    with pytest.raises(ConfigurationError, match="at most 2,000,000 parameters, got 2,36"):
        wanted.build(data.load("moons"))
