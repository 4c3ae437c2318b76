"""The page's own examples show what they are called."""

import html
import queue
import re
from importlib import resources
from urllib.parse import parse_qsl

import pytest

from fastmlp.playground import data
from fastmlp.playground.configuration import Configuration
from fastmlp.playground.trainer import Trainer

PAGE = (resources.files("fastmlp.playground") / "static/index.html").read_text()
LINKS = {name: html.unescape(link) for link, name in re.findall(r'href="\?([^"]+)">([^<]+)<', PAGE)}
SEEN = {
    "three spirals": "It learns",
    "a gradient that vanishes": "The gradient vanishes on its way down",
    "units that die": "Units are dead",
    "a rate that is too high": "It came apart",
    "learning by heart": "it overfits",
}
TWO = "14 layers, without and with residual connections"


def diagnosis(link):
    frames = queue.Queue()
    wanted = Configuration.parse(link)
    Trainer(wanted, data.load(wanted.data, wanted.noise), frames.put).start()
    while (frame := frames.get(timeout=60))["state"] == "running":
        pass
    return " ".join(frame["diagnosis"])


@pytest.mark.parametrize("name", SEEN)
def test_an_example_shows_what_it_is_called(name):
    assert SEEN[name] in diagnosis(LINKS[name])


def test_residual_connections_make_deep_nets_learn():
    assert "It learns" in diagnosis(dict(parse_qsl(LINKS[TWO]))["b"])


def test_these_are_all():
    assert set(LINKS) == {*SEEN, TWO}
