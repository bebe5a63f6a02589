"""How the refusals of operations on consumers and cards look over HTTP, for `config/rest.py`."""

from collections.abc import Mapping
from typing import Final

from consumers.api.problems import ProblemOf

CONSUMER_PROBLEMS: Final[Mapping[type[Exception], ProblemOf]] = {}
