"""What threads that live as long as their worker do before they use the database."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import close_old_connections

Result = TypeVar("Result")


def with_sound_connection(function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """Call it with a connection that did not break in this thread's last call, and return."""
    close_old_connections()
    return function(*arguments, **named)
