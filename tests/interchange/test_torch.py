"""To PyTorch and back."""

import pickle

import numpy as np
import pytest
import torch

from fastmlp import Input, Sequential, interchange, layers

from .nets import assert_equal, random_case


def outputs(module, x):
    with torch.no_grad():
        return module(torch.from_numpy(x)).numpy()


def check(seed):
    model, x = random_case(seed)
    module = interchange.to_torch(model)
    assert_equal(outputs(pickle.loads(pickle.dumps(module)), x), model.predict(x))
    state = {name: tensor + 0.01 for name, tensor in module.state_dict().items()}
    interchange.load_state_dict(model, state)
    module.load_state_dict(state)
    assert_equal(outputs(module, x), model.predict(x))
    plain, x = random_case(seed, residual=False)
    if not any(isinstance(layer, layers.Rescaling) for layer in plain.layers):
        back = interchange.from_torch(interchange.to_torch(plain), plain._input_shape)
        assert [w.tobytes() for w in back.get_weights()] == [
            w.tobytes() for w in plain.get_weights()
        ]
        assert_equal(back.predict(x), plain.predict(x))


@pytest.mark.parametrize("seed", range(8))
def test_random_nets(seed):
    check(seed)


def test_names_are_those_of_the_equivalent_module():
    model = Sequential([Input(3), layers.Dense(4, "relu"), layers.Dropout(0.5), layers.Dense(2)])
    state = interchange.state_dict(model)
    assert list(state) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert state["0.weight"].shape == (4, 3)
    state["0.weight"].fill_(7)
    assert not (model.get_weights()[0] == 7).any()  # copies
    wrong = {**state, "0.weight": torch.zeros(4, 5)}
    before = model.params.tobytes()
    with pytest.raises(ValueError, match="^state_dict: .*size mismatch"):
        interchange.load_state_dict(model, wrong)
    assert model.params.tobytes() == before


def test_a_module_of_ones_own_is_trained_here():
    module = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5), torch.nn.ReLU(),
        torch.nn.Sequential(torch.nn.Linear(5, 3), torch.nn.Softmax(dim=1)),
    ).eval()  # fmt: skip
    model = interchange.from_torch(module, (2, 3), backend="numpy")
    x = np.random.default_rng(0).normal(size=(9, 2, 3)).astype(np.float32)
    assert_equal(model.predict(x), outputs(module, x))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, np.arange(9) % 3, verbose=0)
    with pytest.raises(ValueError, match="^input_shape: "):
        interchange.from_torch(module)
    with pytest.raises(TypeError, match=r"^module: fastmlp has no Conv1d"):
        interchange.from_torch(torch.nn.Sequential(torch.nn.Conv1d(1, 1, 1)), 3)
    with pytest.raises(TypeError, match=r"^module: expected a torch.nn.Sequential"):
        interchange.from_torch(torch.nn.Linear(1, 1))


class Own(layers.Layer):
    def forward(self, x, training):
        return x

    def backward(self, dy):
        return dy, {}


@pytest.mark.parametrize("call", [interchange.to_torch, interchange.to_onnx, interchange.to_keras])
def test_what_can_not_be_had_is_refused(call):
    with pytest.raises(TypeError, match=r"^model: <Own 'own'>, a Own, can't be had in"):
        call(Sequential([Input(3), Own()]))
    with pytest.raises(RuntimeError, match="^model: it has no weights yet"):
        call(Sequential([layers.Dense(3)]))
    with pytest.raises(TypeError, match="^model: expected a Sequential"):
        call(3)
