"""Fashion-MNIST (Xiao, Rasul & Vollgraf, 2017): 70,000 grey images of clothes, ten classes.

It is looked for, in this order: in ``FASTMLP_DATA`` or else the user's cache; where torchvision
and Keras keep it; where Debian's package ``dataset-fashion-mnist`` puts it; on the internet; and
in that package, downloaded on a Debian-like system.  Whatever the source, the SHA-256 of the
uncompressed content decides: other data sets have files of the same names.
"""

import contextlib
import functools
import gzip
import hashlib
import os
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

from . import idx
from .dataset import DatasetNotFoundError, Split
from .debian import unpack_package

NAME = "fashion-mnist"
CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
SCALE = 1 / 255

SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
SIZES = {  # in bytes, uncompressed
    "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
DEBIAN_PACKAGE = "dataset-fashion-mnist"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

_SECONDS = 10  # without a word from a mirror

Contents = dict[str, bytes]


def load_data() -> tuple[Split, Split]:
    """Return ``(x_train, y_train), (x_test, y_test)``: 60,000 and 10,000 images.

    Images are uint8 (n, 28, 28), labels uint8 (n,) from 0 to 9.  What was found elsewhere is kept
    in the cache, uncompressed, for that loads ten times faster.

    Raises
    ------
    DatasetNotFoundError
        If it is nowhere to be had; the message lists what was tried, and what to do.
    ValueError
        If a file in ``FASTMLP_DATA`` is corrupt.

    Warns
    -----
    RuntimeWarning
        If ``FASTMLP_DATA`` is no folder, and the files were found elsewhere.
    """
    contents = _find()
    arrays = [idx.parse(contents[name], name) for name in SHA256]
    return (arrays[0], arrays[1]), (arrays[2], arrays[3])


def cache_folder() -> Path | None:
    """Return where the data set is kept, or None where there can be no such place."""
    if setting := os.environ.get("FASTMLP_DATA"):
        return Path(setting) / NAME
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(base) / "fastmlp" / "data" / NAME


def _find() -> Contents:
    cache = cache_folder()
    chosen = os.environ.get("FASTMLP_DATA")
    places: list[tuple[str, Callable[[], Contents]]] = []
    if chosen:
        places.append((f"FASTMLP_DATA: {chosen}", functools.partial(_read, Path(chosen))))
    if cache is not None:
        places.append((f"the cache: {cache}", functools.partial(_read, cache)))
    places.extend(
        (str(folder), functools.partial(_read, folder)) for folder in _folders_of_others()
    )
    places.append(("a download", _download))
    places.append((f"Debian's package {DEBIAN_PACKAGE}", _from_debian))

    tried = []
    for place, read in places:
        try:
            contents = read()
        except ValueError as reason:
            if chosen and place.startswith("FASTMLP_DATA"):
                raise ValueError(f"FASTMLP_DATA: {reason}; replace or remove that file") from reason
            if cache is not None and str(cache) in place:
                warnings.warn(f"{reason}; looking elsewhere", RuntimeWarning, stacklevel=3)
            tried.append(f"{place}: {reason}")
        except OSError as reason:
            tried.append(f"{place}: {reason}")
        else:
            if chosen and not Path(chosen).is_dir():
                warnings.warn(
                    f"FASTMLP_DATA: there is no folder {chosen!r}; the data set was found "
                    f"elsewhere: {place}",
                    RuntimeWarning,
                    stacklevel=3,
                )
            if cache is not None and not place.startswith(("FASTMLP_DATA", "the cache")):
                _keep(contents, cache)
            return contents
    raise DatasetNotFoundError(
        "Fashion-MNIST was not found. Tried:\n  "
        + "\n  ".join(tried)
        + "\nPut its four IDX files (plain or .gz) into a folder and set FASTMLP_DATA to it, "
        f"or install Debian's package {DEBIAN_PACKAGE}, or use the data set 'digits'."
    )


def _folders_of_others() -> list[Path]:
    """Return where other software may have put the files."""
    folders = [Path("data/FashionMNIST/raw"), DEBIAN_FOLDER]
    with contextlib.suppress(RuntimeError):
        folders.insert(1, Path.home() / ".keras/datasets/fashion-mnist")
    return folders


def _read(folder: Path) -> Contents:
    """Read and verify the four files of a folder, each plain or compressed."""
    return {name: _verified(name, *_content(folder, name)) for name in SHA256}


def _content(folder: Path, name: str) -> tuple[bytes, str]:
    """Read a file, but not more of it than the data set's own has, and a byte to tell."""
    plain, packed = folder / name, folder / f"{name}.gz"
    if plain.is_file():
        with plain.open("rb") as file:
            return file.read(SIZES[name] + 1), str(plain)
    if packed.is_file():
        try:
            with gzip.open(packed) as file:
                return file.read(SIZES[name] + 1), str(packed)
        except (gzip.BadGzipFile, EOFError, zlib.error) as reason:
            raise ValueError(f"{packed}: corrupt or truncated: {reason}") from reason
    raise FileNotFoundError(f"no {name}, plain or .gz" if folder.is_dir() else "no such folder")


def _verified(name: str, content: bytes, path: str) -> bytes:
    if len(content) > SIZES[name]:
        raise ValueError(
            f"{path}: expected Fashion-MNIST's {name} of {SIZES[name]} bytes, got more: "
            "corrupt, or another data set"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256[name]:
        raise ValueError(
            f"{path}: expected Fashion-MNIST's {name} with SHA-256 {SHA256[name][:12]}..., got "
            f"{len(content)} bytes with {digest[:12]}...: corrupt, truncated, or another data set"
        )
    return content


def _keep(contents: Contents, folder: Path) -> None:
    """Write the files to the cache, each at once; a cache that can't be written does no harm."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.replace(temporary, folder / name)
            except BaseException:
                os.unlink(temporary)
                raise
    except OSError:
        return


def _download() -> Contents:
    """Download the files from the first mirror that has each of them."""
    try:
        import pooch
    except ImportError as reason:
        raise FileNotFoundError(
            "needs pooch; pip install 'fastmlp[experiments]' brings it"
        ) from reason
    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_SECONDS)
    contents = {}
    with tempfile.TemporaryDirectory(prefix="fastmlp-download-") as temporary:
        for name in SHA256:
            failures = []
            for mirror in MIRRORS:
                try:
                    pooch.retrieve(
                        f"{mirror}{name}.gz",
                        known_hash=None,
                        fname=f"{name}.gz",
                        path=temporary,
                        downloader=downloader,
                    )
                    contents[name] = _verified(name, *_content(Path(temporary), name))
                    break
                except (OSError, ValueError) as reason:
                    (Path(temporary) / f"{name}.gz").unlink(missing_ok=True)
                    failures.append(f"{mirror} ({type(reason).__name__})")
            else:
                raise FileNotFoundError(f"{name}.gz from none of {', '.join(failures)}")
    return contents


def _from_debian() -> Contents:
    with tempfile.TemporaryDirectory(prefix="fastmlp-debian-") as temporary:
        unpack_package(DEBIAN_PACKAGE, Path(temporary))
        return _read(Path(temporary) / DEBIAN_FOLDER.relative_to("/"))
