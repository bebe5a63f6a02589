"""How ids stand in addresses. RFC 9562 §4: UUIDs are written in lower case and read in any."""

from typing import Final

from django.urls import register_converter
from django.urls.converters import UUIDConverter

ANY_UUID: Final = "any_uuid"


class AnyUUIDConverter(UUIDConverter):
    """Django's own reads lower case only, and would answer 404 to an id that is there."""

    regex = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"


register_converter(AnyUUIDConverter, ANY_UUID)
