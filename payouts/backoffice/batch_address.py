"""From the address of a batch's pages to the batch and its lines, and back."""

from typing import Final
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from payouts.batch_queries import batch_of
from payouts.models import Batch

# More than the lines of any batch.
_MOST_DIGITS: Final = 7


def batch_or_404(batch_id: UUID) -> Batch:
    """The batch, with what its pages say about it."""
    found = batch_of(batch_id)
    if found is None:
        raise Http404
    return found


def line_or_404(text: str | None) -> int:
    """The number of a line; 0 if none is named."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Http404
    return int(text)


def to_batch(found: Batch) -> HttpResponse:
    """Lead to the page of the batch."""
    return HttpResponseRedirect(reverse("backoffice:batch", args=[found.pk]))
