"""``python -m fastmlp.playground``: the live page, on this machine alone."""

import sys

from .cli import main

sys.exit(main())
