"""Changes of settings by two people: the requests, their guard, and who may see and decide."""

from pathlib import Path
from typing import Any

import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import consumers.ids

SQL = Path(__file__).parent / "sql"


def give_groups_their_permissions(_apps: Any, _schema_editor: Any) -> None:
    # As in 0003: the table in the code has new rows, and the groups follow from it.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0004_consumer_editor"),
        ("payouts", "0008_batches"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=consumers.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(max_length=24)),
                ("subject", models.CharField(blank=True, max_length=64)),
                ("label", models.CharField(max_length=300)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("digest", models.BinaryField(max_length=32)),
                ("reason", models.CharField(max_length=500)),
                ("proposed_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("applied", "applied"),
                            ("rejected", "rejected"),
                            ("withdrawn", "withdrawn"),
                            ("expired", "expired"),
                        ],
                        max_length=12,
                    ),
                ),
                ("is_alone", models.BooleanField(default=False)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=500)),
                ("result", models.CharField(blank=True, max_length=64)),
                ("collected_at", models.DateTimeField(null=True)),
                (
                    "collected_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "concerns_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.partner",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "change request",
                "indexes": [
                    models.Index(fields=["state", "expires_at", "id"], name="change_by_state"),
                    models.Index(fields=["proposed_by", "-id"], name="change_by_proposer"),
                    models.Index(fields=["partner", "-id"], name="change_by_partner"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["proposed", "applied", "rejected", "withdrawn", "expired"],
                            )
                        ),
                        name="change_known_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("state", "proposed"),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", True),
                                ("state", "expired"),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by", models.F("proposed_by")),
                                ("decided_by__isnull", False),
                                ("state", "withdrawn"),
                            ),
                            models.Q(
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("is_alone", False),
                                ("state__in", ["applied", "rejected"]),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", True),
                                ("is_alone", True),
                                ("kind", "staff_member"),
                                ("state", "applied"),
                            ),
                            _connector="OR",
                        ),
                        name="change_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("concerns_user__isnull", True),
                            ("decided_by__isnull", True),
                            ("state", "withdrawn"),
                            models.Q(("decided_by", models.F("concerns_user")), _negated=True),
                            _connector="OR",
                        ),
                        name="change_not_by_whom_it_concerns",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("collected_at__isnull", True), ("collected_by__isnull", True)
                            ),
                            models.Q(
                                ("collected_at__isnull", False),
                                ("collected_by__isnull", False),
                                ("state", "applied"),
                            ),
                            _connector="OR",
                        ),
                        name="change_collected_after_it_applied",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("digest",),
                        name="change_waits_once",
                    ),
                    models.UniqueConstraint(
                        models.F("partner"),
                        django.db.models.functions.text.Upper(
                            django.db.models.fields.json.KeyTextTransform("reference", "after")
                        ),
                        condition=models.Q(
                            ("kind", "fund_partner"), ("state__in", ["proposed", "applied"])
                        ),
                        name="change_funding_reference_once",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            (SQL / "changes.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
