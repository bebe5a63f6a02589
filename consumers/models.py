"""Who pays out and who is paid: partners with their API clients, consumers with their cards.

Rows only. What may happen to them is in `consumers/operations/`; the card number itself is sealed
by `consumers/vault.py` and never appears here in clear.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Expression, F, Func, Q, TextField
from django.db.models.functions import Now, Upper

from consumers.former_names import FormerName as FormerName
from consumers.ids import new_id


def without_accents(text: Expression | F) -> Func:
    """The text as it is searched for; see `consumers.plain_words`."""
    return Func(text, function="consumers_plain_words", output_field=TextField())


def words_without_accents(text: Expression | F) -> SearchVector:
    """Its words as they are searched for."""
    return SearchVector(without_accents(text), config="simple")


class Partner(models.Model):
    """The business that pays out: the tenant to which everything else belongs."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120, unique=True)
    is_active = models.BooleanField(default=True)
    requires_idempotency_key = models.BooleanField(default=False)
    approval_hours = models.PositiveSmallIntegerField(
        default=72, help_text="Hours until a push that nobody decides expires."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approval_hours__range=(1, 720)), name="partner_approval_hours_range"
            ),
        ]
        indexes = [
            # Words by how they begin; see `consumers.search`.
            GinIndex(words_without_accents(F("name")), name="partner_search"),
        ]

    def __str__(self) -> str:
        return self.name


class APIClient(models.Model):
    """A server of the partner that may ask for tokens (OAuth 2.0 client credentials)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="api_clients")
    name = models.CharField(max_length=120)
    client_id = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=32))
    disabled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "API client"
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=["api:read", "api:write"], scopes__len__gt=0),
                name="api_client_known_scopes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.client_id})"


class APIClientSecret(models.Model):
    """One of the at most two secrets of an API client; only its SHA-256 is kept.

    A secret has 256 random bits, so a plain digest cannot be searched and needs no salt.
    """

    client = models.ForeignKey(APIClient, on_delete=models.CASCADE, related_name="secrets")
    slot = models.PositiveSmallIntegerField()
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "API client secret"
        constraints = [
            models.UniqueConstraint(fields=["client", "slot"], name="api_client_secret_slot_once"),
            models.CheckConstraint(condition=Q(slot__in=[1, 2]), name="api_client_two_secrets"),
        ]

    def __str__(self) -> str:
        return f"secret {self.slot}"


class AccessToken(models.Model):
    """A bearer token that was given out; only its SHA-256 is kept."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    client = models.ForeignKey(APIClient, on_delete=models.CASCADE, related_name="tokens")
    scopes = ArrayField(models.CharField(max_length=32))
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"token of {self.client_id}"


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


class PartnerEvent(models.Model):
    """What partners are told about besides payments, whose histories tell of themselves.

    Written by `consumers.partner_events` in the transaction of the change, append-only (trigger).
    `data` is what is told: identifiers and states, never what is known about a person.
    """

    id = models.BigAutoField(primary_key=True)
    # The part of the event's public id that is ours; the row's own number would tell of others.
    key = models.UUIDField(default=new_id, unique=True)
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    type = models.CharField(max_length=40)
    # The consumer, card or endpoint that it is about.
    subject_id = models.UUIDField()
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id}"


class Edit(models.Model):
    """A member of staff changed a consumer or a card: one row each time. Append-only, chained.

    Written by a trigger with the row that is changed, whatever changes it; who edits is a maker of
    what is pushed there, and does not approve it.
    """

    id = models.BigAutoField(primary_key=True)
    # The consumer, or the card.
    subject_id = models.UUIDField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    edited_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["subject_id", "edited_at"], name="edit_of_subject")]

    def __str__(self) -> str:
        return f"{self.subject_id} by {self.user_id}"


class AuditEntry(models.Model):
    """Somebody did something: one row of the audit trail. Append-only (trigger), chained later.

    Written by `consumers.audit` only. The rows that it names are not referenced by constraints:
    every entry would lock them, and an entry outlives whatever it is about.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField()
    verb = models.CharField(max_length=24)
    result = models.CharField(max_length=8)
    actor = models.CharField(max_length=160)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, db_constraint=False,
        db_index=False, related_name="+",
    )  # fmt: skip
    client = models.ForeignKey(
        APIClient, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    ip_address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=120, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    # `app.model` of a row, or a word where the act is about no row.
    subject_type = models.CharField(max_length=48)
    subject_id = models.CharField(max_length=160, blank=True)
    subject_label = models.CharField(max_length=160, blank=True)
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(result__in=["done", "refused", "failed"]), name="audit_known_result"
            ),
        ]
        # What the page filters and searches by; each ends in the key that its pages begin at.
        indexes = [
            models.Index(fields=["created_at", "id"], name="audit_by_time"),
            models.Index(
                fields=["actor", "id"], opclasses=["varchar_pattern_ops", "int8_ops"],
                name="audit_by_actor",
            ),
            models.Index(fields=["verb", "id"], name="audit_by_verb"),
            models.Index(fields=["subject_id", "id"], name="audit_by_subject"),
            models.Index(
                OpClass(Upper(without_accents(F("subject_label"))), name="text_pattern_ops"),
                F("id"),
                name="audit_by_plain_label",
            ),
            models.Index(
                fields=["partner", "id"], condition=Q(partner__isnull=False),
                name="audit_by_partner",
            ),
            models.Index(
                fields=["request_id", "id"], condition=~Q(request_id=""), name="audit_by_request"
            ),
            models.Index(
                fields=["result", "id"], condition=~Q(result="done"), name="audit_not_done"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.actor}: {self.verb} {self.subject_label or self.subject_type}"
