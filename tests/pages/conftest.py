from tests.pages.browser import opened, running

__all__ = ["opened", "running"]
