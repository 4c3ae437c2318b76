"""Files from a Debian package, without installing it: no root, and the system left as it is."""

import shutil
import subprocess
import tempfile
from pathlib import Path

_SECONDS = 300


def unpack_package(package: str, into: Path) -> None:
    """Download a package from the system's own Debian sources and unpack it.

    Lists, cache and state are private, so that neither root nor an earlier update is needed.

    Raises
    ------
    OSError
        If this is no Debian-like system, or the package cannot be had.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise FileNotFoundError(f"{tool} is not on this system")
    with tempfile.TemporaryDirectory(prefix="fastmlp-apt-") as private:
        root = Path(private)
        for folder in ("lists/partial", "archives/partial", "download"):
            (root / folder).mkdir(parents=True)
        options = {
            "Dir::State::lists": root / "lists",
            "Dir::Cache": root,
            "Dir::Cache::archives": root / "archives",
            "APT::Sandbox::User": "",
            "Acquire::http::Timeout": "10",
            "Acquire::https::Timeout": "10",
            "Acquire::Retries": "1",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        _run(["apt-get", "-q", *flags, "update"], root)
        _run(["apt-get", "-q", *flags, "download", package], root / "download")
        for archive in (root / "download").glob("*.deb"):
            _run(["dpkg-deb", "-x", str(archive), str(into)], root)


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as reason:
        raise TimeoutError(f"{command[0]} took longer than {_SECONDS} s") from reason
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise OSError(f"{command[0]} failed: {said[-1] if said else done.returncode}")
