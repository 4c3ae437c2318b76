"""Where Fashion-MNIST is looked for, and what happens to bad files; nothing here is downloaded."""

import gzip
import hashlib
import multiprocessing
import os
import resource
import struct

import numpy as np
import pytest

from fastmlp import datasets
from fastmlp.datasets import fashion_mnist

COUNTS = {"train": 6, "t10k": 4}


def tiny_files():
    """Four small files of the right form."""
    rng = np.random.default_rng(0)
    files = {}
    for split, count in COUNTS.items():
        pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        files[f"{split}-images-idx3-ubyte"] = (
            struct.pack(">4B3I", 0, 0, 8, 3, *pixels.shape) + pixels.tobytes()
        )
        files[f"{split}-labels-idx1-ubyte"] = (
            struct.pack(">4BI", 0, 0, 8, 1, count) + labels.tobytes()
        )
    return files


@pytest.fixture
def files(monkeypatch, tmp_path):
    """Tiny files taken for the real ones, on a machine that has none and no network."""
    files = tiny_files()
    hashes = {name: hashlib.sha256(files[name]).hexdigest() for name in fashion_mnist.SHA256}
    monkeypatch.setattr(fashion_mnist, "SHA256", hashes)
    sizes = {name: len(content) for name, content in files.items()}
    monkeypatch.setattr(fashion_mnist, "SIZES", sizes)
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "usr")
    monkeypatch.setattr(fashion_mnist, "_download", lambda: refuse("no network"))
    monkeypatch.setattr(fashion_mnist, "unpack_package", lambda *_: refuse("no Debian"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return files


def refuse(why):
    raise OSError(why)


def write(folder, files, packed=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "place",
    ["usr", "cache/fastmlp/data/fashion-mnist", "data/FashionMNIST/raw",
     "home/.keras/datasets/fashion-mnist"],
)  # fmt: skip
def test_every_place_is_found(files, tmp_path, place, packed):
    write(tmp_path / place, files, packed)
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (6, 28, 28)
    assert x_train.dtype == np.uint8
    assert (len(y_train), len(x_test), len(y_test)) == (6, 4, 4)
    assert x_train.tobytes() == files["train-images-idx3-ubyte"][16:]
    cached = tmp_path / "cache/fastmlp/data/fashion-mnist"
    kept = [path.name for path in cached.iterdir()]
    expected = [f"{name}.gz" for name in files] if packed and place.startswith("cache") else files
    assert sorted(kept) == sorted(expected)


def test_the_users_own_folder_comes_first(files, tmp_path, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "mine"))
    write(tmp_path / "mine", files)
    assert fashion_mnist.load_data()[0][0].shape == (6, 28, 28)
    assert not (tmp_path / "cache").exists()


def test_a_corrupt_file_of_the_users_own_is_an_error(files, tmp_path, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "mine"))
    write(tmp_path / "mine", files)
    (tmp_path / "mine" / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01")
    write(tmp_path / "usr", files)
    with pytest.raises(ValueError, match=r"FASTMLP_DATA: .*mine/t10k-labels-idx1-ubyte: expected"):
        fashion_mnist.load_data()


@pytest.mark.parametrize("spoil", [lambda b: b[:-5], lambda b: b + b"x", lambda b: b"<html>"])
def test_a_corrupt_cache_is_reported_and_replaced(files, tmp_path, spoil):
    cache = tmp_path / "cache/fastmlp/data/fashion-mnist"
    write(cache, files)
    broken = cache / "train-images-idx3-ubyte"
    broken.write_bytes(spoil(broken.read_bytes()))
    write(tmp_path / "usr", files, packed=True)
    with pytest.warns(RuntimeWarning, match="train-images-idx3-ubyte: expected Fashion-MNIST's"):
        fashion_mnist.load_data()
    assert broken.read_bytes() == files["train-images-idx3-ubyte"]


def test_a_truncated_archive_is_passed_over(files, tmp_path):
    write(tmp_path / "data/FashionMNIST/raw", files, packed=True)
    broken = tmp_path / "data/FashionMNIST/raw/train-images-idx3-ubyte.gz"
    broken.write_bytes(broken.read_bytes()[:-20])
    with pytest.raises(datasets.DatasetNotFoundError, match="corrupt or truncated"):
        fashion_mnist.load_data()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["mine", "usr"])
def test_a_file_that_never_ends_takes_no_memory(files, tmp_path, monkeypatch, packed, place):
    """A sparse file of 1 TiB, or a small archive of 2 GiB of zeros: the right size is known."""
    write(tmp_path / place, files)
    bomb = tmp_path / place / "train-images-idx3-ubyte"
    if packed:
        bomb.unlink()
        # Members of an archive follow each other: 2,000 of a mebibyte each.
        member = gzip.compress(bytes(2**20))
        bomb.with_name(f"{bomb.name}.gz").write_bytes(member * 2000)
    else:
        os.truncate(bomb, 2**40)
    if place == "mine":
        monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "mine"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(
        ValueError if place == "mine" else datasets.DatasetNotFoundError,
        match=r"train-images-idx3-ubyte.*: expected Fashion-MNIST's .* of \d+ bytes, got more",
    ):
        fashion_mnist.load_data()
    # In KiB; the archive itself takes two MiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_sizes_are_those_of_the_headers():
    assert set(fashion_mnist.SIZES) == set(fashion_mnist.SHA256)
    assert fashion_mnist.SIZES["train-images-idx3-ubyte"] == 47_040_016
    assert fashion_mnist.SIZES["t10k-labels-idx1-ubyte"] == 10_008


def test_a_mistyped_folder_is_told(files, tmp_path, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "mistyped"))
    dataset = datasets.load("auto")
    assert dataset.name == "digits"
    assert f"FASTMLP_DATA is '{tmp_path / 'mistyped'}', and the files are not there" in dataset.note
    write(tmp_path / "usr", files)
    message = (
        "FASTMLP_DATA: there is no folder '.*mistyped'; the data set was found elsewhere: .*usr"
    )
    with pytest.warns(RuntimeWarning, match=message):
        assert datasets.load("auto").name == "fashion-mnist"
    # It was kept in the folder that the user chose: now it is there.
    assert datasets.load("auto").name == "fashion-mnist"


def test_nowhere_says_what_was_tried_and_what_to_do(files):
    with pytest.raises(datasets.DatasetNotFoundError) as caught:
        fashion_mnist.load_data()
    message = str(caught.value)
    for part in ("the cache", "no network", "no Debian", "FASTMLP_DATA", "'digits'"):
        assert part in message


def test_only_auto_falls_back_and_says_so(files):
    dataset = datasets.load("auto")
    assert dataset.name == "digits"
    assert "Fashion-MNIST was not to be had" in dataset.note
    with pytest.raises(datasets.DatasetNotFoundError):
        datasets.load("fashion-mnist")


def test_auto_without_fallback_has_no_note(files, tmp_path):
    write(tmp_path / "usr", files)
    dataset = datasets.load()
    assert (dataset.name, dataset.note) == ("fashion-mnist", "")
    assert dataset.input_shape == (28, 28)


def test_a_cache_that_cannot_be_written_does_no_harm(files, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    write(tmp_path / "usr", files)
    assert fashion_mnist.load_data()[1][0].shape == (4, 28, 28)


def load_and_sum(_):
    return int(fashion_mnist.load_data()[0][0].sum())


def test_several_processes_at_once(files, tmp_path):
    write(tmp_path / "usr", files, packed=True)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        sums = pool.map(load_and_sum, range(8))
    assert len(set(sums)) == 1
    cached = tmp_path / "cache/fastmlp/data/fashion-mnist"
    assert sorted(path.name for path in cached.iterdir()) == sorted(files)


def test_the_real_data_set():
    try:
        (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    except datasets.DatasetNotFoundError as reason:
        pytest.skip(f"no Fashion-MNIST on this machine, and no way to get it: {reason}")
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert np.bincount(y_train).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10
