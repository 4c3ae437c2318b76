"""The course's questions, answered by measurement: ``python -m fastmlp.experiments q1``."""
