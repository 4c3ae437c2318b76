"""The version, which files of nets name."""

__version__ = "0.1.0"
