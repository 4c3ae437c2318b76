"""A tab's messages: what is wrong is told, and all training ends with the tab."""

import asyncio
import json
import threading

import pytest

from fastmlp.playground.session import Session

WAIT = 30.0
TABLE = "\n".join(f"{i},{i % 3},{'even' if i % 2 == 0 else 'odd'}" for i in range(40))


def run(conversation):
    async def whole():
        session = Session(asyncio.get_running_loop())
        try:
            await conversation(Talk(session))
        finally:
            await session.close()

    asyncio.run(whole())
    assert not [t for t in threading.enumerate() if t.name == "playground"]


class Talk:
    def __init__(self, session):
        self.session = session

    async def say(self, **message):
        await self.session.receive(json.dumps(message))

    async def hear(self, found):
        while True:
            message = json.loads(await asyncio.wait_for(self.session.next(), WAIT))
            if found(message):
                return message


def test_a_net_is_configured_trained_paused_and_changed():
    async def conversation(talk):
        await talk.say(type="configure", net="a", query="data=moons&hidden=5:tanh&epochs=10000")
        told = await talk.hear(lambda m: m["type"] == "configured")
        assert told["values"]["hidden"] == "5:tanh"
        assert told["parameters"] == 27
        assert "layers.Dense(5" in told["code"]
        assert len(told["problem"]["points"]["y"]) == 400
        await talk.say(type="train", net="a")
        await talk.hear(lambda m: m["type"] == "frame" and m["step"] > 50)
        await talk.say(type="pause", net="a")
        await talk.hear(lambda m: m.get("state") == "paused")
        await talk.say(type="step", net="a")
        await talk.say(type="configure", net="a", query="data=moons&hidden=&epochs=10000")
        await talk.hear(lambda m: m["type"] == "configured")
        await talk.say(type="train", net="a")
        frame = await talk.hear(lambda m: m["type"] == "frame" and m["step"] > 0)
        assert len(frame["layers"]) == 1

    run(conversation)


def test_two_nets_train_side_by_side():
    async def conversation(talk):
        for net in ("a", "b"):
            await talk.say(type="configure", net=net, query="data=moons&epochs=10000")
            await talk.say(type="train", net=net)
        for net in ("a", "b", "a"):
            await talk.hear(lambda m, net=net: m.get("net") == net and m.get("step", 0) > 10)
        await talk.say(type="remove", net="b")
        await talk.say(type="configure", net="a", query="data=blobs&epochs=10000", train=True)
        await talk.hear(lambda m: m["type"] == "configured" and "blobs" in m["query"])
        await talk.hear(lambda m: m.get("step", 0) > 10)
        await talk.say(type="slow", value=True)
        await talk.hear(lambda m: m.get("net") == "a" and m["type"] == "frame")

    run(conversation)


def test_a_table_of_ones_own():
    async def conversation(talk):
        await talk.say(type="configure", net="a", query="data=csv")
        refused = await talk.hear(lambda m: m["type"] == "refused")
        assert refused == {"type": "refused", "net": "a",
                           "message": "data: drop a CSV file on the page first"}  # fmt: skip
        await talk.say(type="table", text=TABLE)
        assert "40 rows" in (await talk.hear(lambda m: m["type"] == "table"))["note"]
        await talk.say(type="configure", net="a", query="data=csv&epochs=3")
        await talk.hear(lambda m: m["type"] == "configured")
        await talk.say(type="train", net="a")
        await talk.hear(lambda m: m.get("state") == "done")

    run(conversation)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Expecting property name"),
        ("[]", "message: expected an object"),
        ('{"type": "train"}', "net: expected one of a, b"),
        ('{"type": "train", "net": "c"}', "net: expected one of a, b"),
        ('{"type": "train", "net": "a"}', "net: configure it first"),
        ('{"type": "dance", "net": "a"}', "type: there is no 'dance'"),
        ('{"type": "configure", "net": "a"}', "query: expected a text"),
        ('{"type": "configure", "net": "a", "query": "rate=-1"}', "rate: expected a number"),
        ('{"type": "table", "text": "1,2"}', "at least 10 rows"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_what_is_wrong_is_told(text, words):
    async def conversation(talk):
        await talk.session.receive(text)
        assert words in (await talk.hear(lambda m: m["type"] == "refused"))["message"]

    run(conversation)
