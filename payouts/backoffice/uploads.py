"""How files come in: into memory only, and no further than they may be large."""

from typing import Any, Final

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest

# What a form has around its file.
_FORM_BYTES: Final = 64 * 1024


class OnlyInMemory(MemoryFileUploadHandler):
    """Keeps a file off the disk, where a card number in it would lie in the clear.

    One that is too large is dropped while it comes, and the form says so.
    """

    def __init__(self, request: HttpRequest, *, largest_bytes: int) -> None:
        super().__init__(request)
        self.largest_bytes = largest_bytes

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  # Django's name for it
        content_length: int,
        *_: Any,
        **__: Any,
    ) -> None:
        self.activated = content_length <= self.largest_bytes + _FORM_BYTES

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return super().receive_data_chunk(raw_data, start) if self.activated else None

    def file_complete(self, file_size: int) -> Any:
        return super().file_complete(file_size) if self.activated else None
