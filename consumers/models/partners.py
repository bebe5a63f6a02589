"""Who pays out: partners, and the programs of theirs that may come in."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from consumers.ids import new_id
from consumers.models.searched import words_without_accents


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
