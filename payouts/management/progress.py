"""A progress bar for commands that run for minutes, on standard error."""

import time
from typing import Final

from django.core.management.base import OutputWrapper

_WIDTH: Final = 28
_REDRAW_SECONDS: Final = 0.2
# Into a file or a log goes a line now and then.
_LINE_SECONDS: Final = 10.0


class Progress:
    """Draws how much of each stage is done, how fast, and how long it still takes."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._stage = ""
        self._began = self._drawn = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` things of this stage are finished. May be called very often."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._drawn = stage, now, 0.0
        pause = _REDRAW_SECONDS if self._is_terminal else _LINE_SECONDS
        if done < total and now - self._drawn < pause:
            return
        self._drawn = now
        line = _line(stage, done, total, now - self._began)
        if self._is_terminal:
            end = "\n" if done >= total else ""
            self._stream.write(f"\r{line}\x1b[K", style_func=str, ending=end)
        else:
            self._stream.write(line, style_func=str)
        self._stream.flush()


def _line(stage: str, done: int, total: int, seconds: float) -> str:
    filled = _WIDTH * done // max(total, 1)
    line = (
        f"{stage:9} [{'#' * filled}{'.' * (_WIDTH - filled)}] {100 * done // max(total, 1):3} % "
        f"{done:,} of {total:,}"
    )
    if not done or seconds <= 0:
        return line
    per_second = done / seconds
    if done >= total:
        return f"{line}, {per_second:,.0f}/s, {seconds:.0f} s"
    return f"{line}, {per_second:,.0f}/s, {(total - done) / per_second:.0f} s left"
