"""The live page: ``python -m fastmlp.playground`` serves it on this machine alone.

``configuration.py`` says what a net of the page can be, ``data.py`` what it learns, ``trainer.py``
trains it in a thread of its own by the ordinary ``fit``, ``measure.py`` and ``diagnosis.py`` say
what is seen, and ``app.py`` talks to the browser.
"""
