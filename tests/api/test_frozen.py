"""Losses, metrics and initializers are as ``dataclass(frozen=True)`` makes them."""

from dataclasses import FrozenInstanceError, dataclass, fields

import pytest

from fastmlp import initializers, losses, metrics

OBJECTS = [losses.MeanSquaredError(), losses.Huber(delta=2.0), metrics.MeanSquaredError(name="m"),
           metrics.AUC(), initializers.Zeros(), initializers.Constant(3.0)]  # fmt: skip


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: type(thing).__name__)
class TestFrozen:
    def test_no_attribute_can_be_set_or_deleted(self, thing):
        for name in [*(field.name for field in fields(thing)), "other"]:
            with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
                setattr(thing, name, 1)
            with pytest.raises(FrozenInstanceError, match=f"cannot delete field '{name}'"):
                delattr(thing, name)

    def test_a_subclass_has_attributes_of_its_own_and_no_other_fields(self, thing):
        class Own(type(thing)):
            pass

        own = Own()
        own.other = 1
        assert own.other == 1
        del own.other
        assert not hasattr(own, "other")
        for field in fields(thing):
            with pytest.raises(FrozenInstanceError):
                setattr(own, field.name, 1)

    def test_equal_is_what_has_the_same_class_and_fields(self, thing):
        same = type(thing)(**{f.name: getattr(thing, f.name) for f in fields(thing) if f.init})
        assert thing == same
        assert hash(thing) == hash(same)
        assert repr(thing) == repr(same)
        assert repr(thing).startswith(f"{type(thing).__name__}(")
        assert thing not in [other for other in OBJECTS if other is not thing]


def test_a_dataclass_may_follow():
    @dataclass(frozen=True)
    class Scaled(losses.MeanSquaredError):
        scale: float = 2.0

    assert Scaled(scale=3.0) == Scaled(scale=3.0, reduction="sum_over_batch_size") != Scaled()
