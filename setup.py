"""What pyproject.toml cannot say: the folder `kernels` is installed as `fastmlp.kernels`."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["fastmlp", "fastmlp.*"]),
        "fastmlp.kernels",
        *(f"fastmlp.kernels.{name}" for name in find_packages("kernels")),
    ],
    package_dir={"fastmlp": "fastmlp", "fastmlp.kernels": "kernels"},
    package_data={"fastmlp": ["py.typed"]},
)
