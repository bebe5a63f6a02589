"""Who is paid: consumers and their cards. A card number appears here sealed, never in clear."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from consumers.ids import new_id
from consumers.models.partners import Partner


class KYCStatus(models.TextChoices):
    """How far the partner is in knowing its customer, in the words of the API."""

    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    FLAGGED = "Flagged"
    COMPLETE = "Complete"
    REJECTED = "Rejected"


class Consumer(models.Model):
    """The person who is paid. `pcid` is the partner's own id for that person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="consumers")
    pcid = models.CharField(max_length=128)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone_number = models.CharField(max_length=16, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    tax_id_type = models.CharField(max_length=16, blank=True)
    tax_identifier_sealed = models.BinaryField(null=True, blank=True, editable=False)
    tax_identifier_last4 = models.CharField(max_length=4, blank=True, editable=False)
    address_line1 = models.CharField(max_length=120, blank=True)
    address_line2 = models.CharField(max_length=120, blank=True)
    address_city = models.CharField(max_length=80, blank=True)
    address_state = models.CharField(max_length=40, blank=True)
    address_zip = models.CharField(max_length=16, blank=True)
    kyc_status = models.CharField(max_length=16, choices=KYCStatus, default=KYCStatus.NOT_STARTED)
    is_active = models.BooleanField(default=True)
    cancellation_reason = models.CharField(max_length=200, blank=True)
    cancellation_details = models.TextField(blank=True)
    # Empty if the partner closed the account: that is for good.
    closed_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Who of the staff changed the person last: that one may not approve a push to them.
    edited_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    # Words without accents of names, e-mail and pcid; a trigger writes them whenever one changes.
    search_vector = SearchVectorField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "pcid"], name="consumer_pcid_once"),
            # The target of payment_card's composite key: a card cannot name a foreign partner.
            models.UniqueConstraint(fields=["id", "partner"], name="consumer_of_partner"),
            models.CheckConstraint(condition=~Q(pcid=""), name="consumer_pcid_not_empty"),
        ]
        indexes = [
            models.Index(fields=["partner", "-id"], name="consumer_newest"),
            GinIndex(fields=["search_vector"], name="consumer_search"),
            models.Index(
                fields=["phone_number", "-id"],
                condition=~Q(phone_number=""),
                opclasses=["varchar_pattern_ops", "uuid_ops"],
                name="consumer_by_phone",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.pcid

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class ConsumerTally(models.Model):
    """How many consumers a partner has, in parts; the sum is the truth, one part may be negative.

    Kept by triggers on consumer.
    """

    pk = models.CompositePrimaryKey("partner_id", "part")
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    part = models.PositiveSmallIntegerField()
    consumers = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.consumers} consumers"


class CardStatus(models.TextChoices):
    """Whether money is pushed to the card at all; inactive is for good."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class PaymentCard(models.Model):
    """A card of a consumer that money can be pushed to. `id` is its `external_payment_card_id`.

    That a card has expired follows from its date and is not stored.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Composite foreign keys, made in a migration, tie (consumer, partner) together.
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    consumer = models.ForeignKey(
        Consumer, on_delete=models.PROTECT, db_constraint=False, related_name="cards"
    )
    kek_id = models.CharField(max_length=32, editable=False)
    wrapped_key = models.BinaryField(editable=False)
    ciphertext = models.BinaryField(editable=False)
    fingerprint_key_id = models.CharField(max_length=32, editable=False)
    fingerprint = models.BinaryField(max_length=32, editable=False)
    network = models.CharField(max_length=16)
    card_type = models.CharField(max_length=8, blank=True)
    bin = models.CharField(max_length=8)
    last4 = models.CharField(max_length=4)
    expiration_month = models.PositiveSmallIntegerField()
    expiration_year = models.PositiveSmallIntegerField()
    cardholder_name = models.CharField(max_length=120, blank=True)
    postal_code = models.CharField(max_length=16, blank=True)
    nickname = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=8, choices=CardStatus, default=CardStatus.ACTIVE)
    deactivation_reason = models.CharField(max_length=64, blank=True)
    push_eligible = models.BooleanField(null=True, blank=True)
    push_speed = models.CharField(max_length=16, blank=True)
    push_checked_at = models.DateTimeField(null=True, blank=True)
    # Who touched the card last: that person may not approve a push to it.
    edited_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["consumer", "fingerprint_key_id", "fingerprint"],
                name="payment_card_once_per_consumer",
            ),
            # The target of payment's composite key.
            models.UniqueConstraint(
                fields=["id", "consumer", "partner", "network", "last4"], name="payment_card_shown"
            ),
            models.CheckConstraint(
                condition=Q(expiration_month__range=(1, 12)), name="payment_card_month"
            ),
            models.CheckConstraint(condition=Q(last4__regex=r"^\d{4}$"), name="payment_card_last4"),
            models.CheckConstraint(
                condition=Q(status__in=CardStatus.values), name="payment_card_status"
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "-id"], name="payment_card_newest"),
            models.Index(fields=["partner", "last4", "-id"], name="payment_card_last4"),
        ]

    def __str__(self) -> str:
        return f"{self.network} ···· {self.last4}"

    @property
    def is_active(self) -> bool:
        """Not taken out of use; it may have expired all the same."""
        return self.status == CardStatus.ACTIVE
