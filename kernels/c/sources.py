"""Whether the C kernels at hand were built from the sources at hand.

The build writes a digest of the sources into the module that it makes.  In a checkout, sources may
have been edited or exchanged since, and the module with them gone stale: that must not run unseen.
"""

import hashlib
from pathlib import Path

HERE = Path(__file__).parent
SUFFIXES = (".c", ".h", ".pxi", ".pyx")


def sources(folder: Path = HERE) -> list[Path]:
    """Return what the C kernels are built from: the folder's sources, and the contract."""
    own = [path for path in folder.iterdir() if path.suffix in SUFFIXES]
    return sorted([*own, folder / "generate.py", folder.parent / "contract.py"])


def digest(folder: Path = HERE) -> str:
    """Return the SHA-256 of all sources, with their names."""
    found = hashlib.sha256()
    for path in sources(folder):
        content = path.read_bytes()
        found.update(f"{path.name} {len(content)} ".encode() + content)
    return found.hexdigest()


def is_checkout() -> bool:
    """Return whether this is a checkout; what is installed was built from what lies beside it."""
    return (HERE.parents[1] / "setup.py").is_file()
