"""One line of JSON per log record, for whatever collects the logs of production."""

import json
import logging
from datetime import UTC, datetime
from typing import Final

from config.scrubbing import scrub

_OWN_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JSONLines(logging.Formatter):
    """`at` (UTC), `level`, `logger`, `message`; then `request_id`, plain extras, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := getattr(record, "request", None):
            fields["request_id"] = getattr(request, "request_id", None)
        fields |= {
            name: value
            for name, value in vars(record).items()
            if name not in _OWN_ATTRIBUTES and isinstance(value, str | int | None)
        }
        if record.exc_text:
            fields["traceback"] = record.exc_text
        elif record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return scrub(json.dumps(fields, ensure_ascii=False))
