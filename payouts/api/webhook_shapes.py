"""The shapes of requests about webhooks."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from consumers.api.shapes import Note, PatternText, Shape, Text, Whole
from payouts.operations.webhook_endpoints import LONGEST_OVERLAP, USUAL_OVERLAP
from payouts.webhooks.addresses import LONGEST_URL
from payouts.webhooks.events import EVENT_GROUPS, EVENT_ID_PATTERN, EVENT_TYPES, event_key

MOST_EVENTS_NAMED: Final = 200
_NAMES: Final = (*EVENT_TYPES, *EVENT_GROUPS)
_HOUR: Final = 3600
_AN_ID: Final = "The id of an event is needed."


@extend_schema_field({"type": "boolean"})
class Flag(serializers.Field[bool, Any, bool, Any]):
    """True or false, and nothing that reads like it."""

    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "enum": list(_NAMES)},
        "maxItems": len(_NAMES),
    }
)
class EventTypes(serializers.Field[list[str], Any, Any, Any]):
    """Names of types of events, and of groups of them."""

    default_error_messages = {
        "invalid": "Must be a list of names.",
        "unknown_type": "There is no such type of event.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or len(data) > len(_NAMES):
            self.fail("invalid")
        if not all(isinstance(one, str) and one in _NAMES for one in data):
            self.fail("unknown_type")
        return data


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "pattern": EVENT_ID_PATTERN},
        "minItems": 1,
        "maxItems": MOST_EVENTS_NAMED,
    }
)
class EventIds(serializers.Field[list[str], Any, Any, Any]):
    """Ids of events."""

    default_error_messages = {"invalid": f"Must be a list of 1 to {MOST_EVENTS_NAMED} ids."}

    def to_internal_value(self, data: Any) -> list[str]:
        is_list = isinstance(data, list) and 1 <= len(data) <= MOST_EVENTS_NAMED
        if not is_list or not all(isinstance(one, str) and event_key(one) for one in data):
            self.fail("invalid")
        return list(data)


class CreateWebhook(Shape):
    """Where to send what."""

    url = Text(
        min_length=1,
        max_length=LONGEST_URL,
        help_text="https, on port 443 or 8443, of a server on the public internet. Never followed "
        "to elsewhere: a redirect is a failure.",
    )
    description = Note(required=False, allow_blank=True, default="", max_length=200)
    event_types = EventTypes(
        required=False, default=list, help_text="Types, or groups such as `card.*`. Empty: all."
    )


class ChangeWebhook(CreateWebhook):
    """What to change; what is left out stays."""

    enabled = Flag(required=False, help_text="Switches it on or off.")


class RotateSecret(Shape):
    """How long the secret of before goes on to sign beside the new one."""

    previous_valid_hours = Whole(
        required=False,
        default=int(USUAL_OVERLAP.total_seconds()) // _HOUR,
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds()) // _HOUR,
        help_text="0 ends it at once, which is right when it leaked.",
    )


class Replay(Shape):
    """Which events to send again: those that are named, or a range."""

    event_ids = EventIds(required=False, help_text="These, whatever became of them.")
    after = PatternText(
        EVENT_ID_PATTERN,
        message=_AN_ID,
        required=False,
        help_text="What came after this event. Neither this nor `event_ids`: from the beginning.",
    )
    until = PatternText(
        EVENT_ID_PATTERN,
        message=_AN_ID,
        required=False,
        help_text="Up to this event, which is sent too.",
    )
    delivered_too = Flag(
        required=False,
        default=False,
        help_text="Of a range, also what has arrived. Otherwise only what has not.",
    )
