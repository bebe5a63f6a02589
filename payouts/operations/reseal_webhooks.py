"""Moves the secrets of webhooks under the vault's current key, when its keys are rotated."""

from uuid import UUID

from django.db import transaction
from django.db.models import BinaryField, Q, QuerySet
from django.db.models.functions import Substr

from consumers.operations.rotate_keys import Resealed
from consumers.vault import KeyRing, TextUnreadable, key_ring_from_settings, reseal_text
from payouts.models import WebhookEndpoint
from payouts.operations.webhook_endpoints import place_of_secret


def reseal_webhook_secrets(*, is_trial: bool) -> Resealed:
    """Move every secret that is under an older key; or, as a trial, only open them.

    Runs beside the product and beside itself: a row at a time, under its lock. What cannot be
    opened stays as it is.
    """
    ring = key_ring_from_settings()
    moved, unreadable = 0, set[UUID]()
    for key in list(_under_old_keys(ring).values_list("pk", flat=True)):
        try:
            moved += _reseal(key, ring, is_trial=is_trial)
        except TextUnreadable:
            unreadable.add(key)
    return Resealed("webhook secrets", moved, _under_old_keys(ring).count(), frozenset(unreadable))


def _under_old_keys(ring: KeyRing) -> QuerySet[WebhookEndpoint]:
    # A sealed text begins with the id of its key; see `consumers.vault.seal_text`.
    current = ring.current_kek_id.encode() + b"|"
    rows = WebhookEndpoint.objects.annotate(
        first=Substr("secret", 1, len(current), output_field=BinaryField()),
        second=Substr("previous_secret", 1, len(current), output_field=BinaryField()),
    )
    is_old = Q(secret__isnull=False) & ~Q(first=current)
    is_previous_old = Q(previous_secret__isnull=False) & ~Q(second=current)
    return rows.filter(is_old | is_previous_old).order_by("pk")


def _reseal(key: UUID, ring: KeyRing, *, is_trial: bool) -> int:
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=key)
        for column in ("secret", "previous_secret"):
            sealed = getattr(row, column)
            if sealed is not None:
                place = place_of_secret(
                    row.pk, row.partner_id, is_previous=column == "previous_secret"
                )
                setattr(row, column, reseal_text(bytes(sealed), bound_to=place, ring=ring))
        if not is_trial:
            row.save(update_fields=["secret", "previous_secret"])
    return 1
