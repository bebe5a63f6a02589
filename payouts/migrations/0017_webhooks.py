"""The order of events, addresses of partners, and deliveries."""

from pathlib import Path

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import consumers.ids

SQL = Path(__file__).parent / "sql" / "webhooks.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0007_partner_event"),
        ("payouts", "0016_doubts"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxCursor",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("last_position", models.BigIntegerField(default=0)),
                ("last_payment_event_id", models.BigIntegerField(default=0)),
                ("last_partner_event_id", models.BigIntegerField(default=0)),
                ("followed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="outbox_cursor_is_one"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("type", models.CharField(max_length=40)),
                (
                    "source",
                    models.CharField(
                        choices=[("payment", "Payment"), ("partner", "Partner")], max_length=8
                    ),
                ),
                ("source_id", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "partner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.partner",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
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
                ("url", models.CharField(max_length=500)),
                ("description", models.CharField(blank=True, max_length=200)),
                (
                    "types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("enabled", "Enabled"), ("disabled", "Disabled")],
                        default="enabled",
                        editable=False,
                        max_length=8,
                    ),
                ),
                (
                    "disabled_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("by_partner", "By Partner"),
                            ("by_staff", "By Staff"),
                            ("gone", "Gone"),
                            ("failing", "Failing"),
                        ],
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("disabled_at", models.DateTimeField(editable=False, null=True)),
                ("secret", models.BinaryField(null=True)),
                ("previous_secret", models.BinaryField(null=True)),
                ("previous_until", models.DateTimeField(editable=False, null=True)),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("last_success_at", models.DateTimeField(editable=False, null=True)),
                ("held_until", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                ("removed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "Due"),
                            ("sending", "Sending"),
                            ("delivered", "Delivered"),
                            ("parked", "Parked"),
                        ],
                        default="due",
                        max_length=9,
                    ),
                ),
                ("claim", models.PositiveIntegerField(default=0)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("log", models.JSONField(default=list)),
                ("last_status", models.PositiveSmallIntegerField(null=True)),
                ("last_error", models.CharField(blank=True, max_length=40)),
                ("last_answer", models.CharField(blank=True, max_length=2048)),
                ("last_tried_at", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "event",
                    models.ForeignKey(
                        db_column="position",
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.outboxevent",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(fields=["partner", "position"], name="outbox_of_partner"),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["created_at"], name="outbox_by_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="outboxevent",
            constraint=models.UniqueConstraint(
                fields=("source_id", "source"), name="outbox_event_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="outboxevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["payment", "partner"])),
                name="outbox_known_source",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(
                condition=models.Q(("removed_at__isnull", True)),
                fields=["partner", "-id"],
                name="webhook_of_partner",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("disabled_at__isnull", True), ("disabled_why", ""), ("state", "enabled")
                    ),
                    models.Q(
                        ("disabled_at__isnull", False),
                        ("disabled_why__gt", ""),
                        ("state", "disabled"),
                    ),
                    _connector="OR",
                ),
                name="webhook_disabled_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("removed_at__isnull", True), ("secret__isnull", False)),
                    models.Q(
                        ("previous_secret__isnull", True),
                        ("removed_at__isnull", False),
                        ("secret__isnull", True),
                        ("state", "disabled"),
                    ),
                    _connector="OR",
                ),
                name="webhook_removed_has_no_secret",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("previous_secret__isnull", True), ("previous_until__isnull", True)),
                    models.Q(("previous_secret__isnull", False), ("previous_until__isnull", False)),
                    _connector="OR",
                ),
                name="webhook_previous_secret_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["due", "sending"])),
                fields=["endpoint", "due_at"],
                name="delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "sending")),
                fields=["endpoint"],
                name="delivery_sending",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "parked")),
                fields=["endpoint", "-event"],
                name="delivery_parked",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("endpoint", "event"), name="delivery_once"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["due", "sending", "delivered", "parked"])),
                name="delivery_known_state",
            ),
        ),
        migrations.RunSQL(SQL.read_text(encoding="utf-8"), migrations.RunSQL.noop),
    ]
