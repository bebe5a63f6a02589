"""Batches: a file, its lines, and what people order about their pushes."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import consumers.ids

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0003_audit_entry"),
        ("payouts", "0007_reference_start"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
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
                ("name", models.CharField(max_length=120)),
                ("file_name", models.CharField(max_length=200)),
                ("file_bytes", models.PositiveIntegerField()),
                ("file_digest", models.BinaryField(max_length=32)),
                ("read_as", models.CharField(blank=True, max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Reading"),
                            ("checking", "Checking"),
                            ("ready", "Ready"),
                            ("issuing", "Issuing"),
                            ("issued", "Issued"),
                            ("withdrawn", "Withdrawn"),
                            ("refused", "Refused"),
                        ],
                        default="reading",
                        max_length=12,
                    ),
                ),
                ("refusal", models.JSONField(default=dict)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("leased_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("checked_at", models.DateTimeField(null=True)),
                ("submitted_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.partner",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "batches",
            },
        ),
        migrations.CreateModel(
            name="BatchFile",
            fields=[
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="file",
                        serialize=False,
                        to="payouts.batch",
                    ),
                ),
                ("sealed", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="BatchOrder",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("approve", "Approve"),
                            ("reject", "Reject"),
                            ("cancel", "Cancel"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("pushes", models.PositiveIntegerField()),
                ("marks", models.BinaryField()),
                ("digest", models.BinaryField(max_length=32)),
                ("ip_address", models.GenericIPAddressField(null=True)),
                ("agent", models.CharField(blank=True, max_length=120)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField()),
                ("seen_to", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("refused", models.JSONField(default=dict)),
                ("leased_until", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="payouts.batch",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BatchRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("line", models.PositiveIntegerField()),
                ("cells", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("bad", "Bad"),
                            ("good", "Good"),
                            ("left_out", "Left Out"),
                            ("issued", "Issued"),
                            ("refused", "Refused"),
                        ],
                        default="new",
                        max_length=8,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12, null=True)),
                ("fee_amount", models.DecimalField(decimal_places=2, max_digits=12, null=True)),
                ("description", models.CharField(blank=True, max_length=500)),
                ("reference", models.CharField(blank=True, max_length=64)),
                ("metadata", models.JSONField(default=dict)),
                ("findings", models.JSONField(default=list)),
                ("has_warning", models.BooleanField(default=False)),
                ("is_first_push_to_card", models.BooleanField(default=False)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="payouts.batch",
                    ),
                ),
                (
                    "card",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.paymentcard",
                    ),
                ),
                (
                    "consumer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.consumer",
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch_row",
                        to="payouts.payment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BatchTally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "batch_id",
                        "state",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("state", models.CharField(max_length=8)),
                ("rows", models.IntegerField(default=0)),
                ("warned", models.IntegerField(default=0)),
                ("amount", models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                ("fee_amount", models.DecimalField(decimal_places=2, default=0, max_digits=20)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tallies",
                        to="payouts.batch",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["partner", "-id"], name="batch_newest"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["partner", "file_digest"], name="batch_by_file"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                fields=["state", "leased_until"],
                name="batch_at_work",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "reading",
                            "checking",
                            "ready",
                            "issuing",
                            "issued",
                            "withdrawn",
                            "refused",
                        ],
                    )
                ),
                name="batch_known_state",
            ),
        ),
        migrations.AddIndex(
            model_name="batchorder",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["leased_until"],
                name="batch_order_at_work",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["approve", "reject", "cancel"])),
                name="batch_order_known_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("done__lte", models.F("seen_to")), ("seen_to__lte", models.F("pushes"))
                ),
                name="batch_order_counts",
            ),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(fields=["batch", "state", "line"], name="batch_row_by_state"),
        ),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(
                condition=models.Q(("payment__isnull", False)),
                fields=["batch", "-payment"],
                name="batch_row_by_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.UniqueConstraint(
                fields=("batch", "line"), name="batch_row_line_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["new", "bad", "good", "left_out", "issued", "refused"])
                ),
                name="batch_row_known_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["new", "bad"]),
                    models.Q(
                        ("amount__isnull", False),
                        ("card__isnull", False),
                        ("consumer__isnull", False),
                        ("fee_amount__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="batch_row_good_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("payment__isnull", False), ("state", "issued")),
                    models.Q(
                        models.Q(("state", "issued"), _negated=True), ("payment__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="batch_row_issued_has_payment",
            ),
        ),
        migrations.RunSQL(
            (SQL / "batches.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
