"""What card networks post to us by themselves."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import consumers.ids

SQL = Path(__file__).parent / "sql" / "notifications.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0022_settlements"),
    ]

    operations = [
        migrations.AlterField(
            model_name="case",
            name="kind",
            field=models.CharField(
                choices=[
                    ("late_answer", "late_answer"),
                    ("unexpected_return", "unexpected_return"),
                    ("return_differs", "return_differs"),
                    ("amount_differs", "amount_differs"),
                    ("currency_differs", "currency_differs"),
                    ("identity_differs", "identity_differs"),
                    ("settled_late", "settled_late"),
                    ("settled_twice", "settled_twice"),
                    ("missing_here", "missing_here"),
                    ("missing_there", "missing_there"),
                    ("unknown_instruction", "unknown_instruction"),
                ],
                max_length=24,
            ),
        ),
        migrations.CreateModel(
            name="NetworkNotification",
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
                ("network", models.CharField(max_length=24)),
                ("is_genuine", models.BooleanField()),
                ("size_bytes", models.PositiveIntegerField()),
                ("sha256", models.BinaryField(max_length=32)),
                ("sealed", models.BinaryField()),
                ("received_at", models.DateTimeField()),
                ("times_received", models.PositiveIntegerField(default=1)),
                ("due_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                (
                    "meaning",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("paid", "Paid"),
                            ("not_paid", "Not Paid"),
                            ("in_progress", "In Progress"),
                            ("returned", "Returned"),
                            ("unreadable", "Unreadable"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "came_to",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("settled", "Settled"),
                            ("nothing", "Nothing"),
                            ("case", "Case"),
                            ("asked", "Asked"),
                            ("not_believed", "Not Believed"),
                            ("not_ours", "Not Ours"),
                        ],
                        max_length=12,
                    ),
                ),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.payment",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="notification_due",
                    ),
                    models.Index(
                        condition=models.Q(("payment__isnull", False)),
                        fields=["payment", "id"],
                        name="notification_of_payment",
                    ),
                    models.Index(
                        condition=models.Q(("is_genuine", False)),
                        fields=["received_at"],
                        name="notification_forged",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sha256", "network", "is_genuine"), name="notification_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("came_to", ""),
                                ("due_at__isnull", False),
                                ("meaning", ""),
                                ("used_at__isnull", True),
                            ),
                            models.Q(
                                (
                                    "came_to__in",
                                    [
                                        "settled",
                                        "nothing",
                                        "case",
                                        "asked",
                                        "not_believed",
                                        "not_ours",
                                    ],
                                ),
                                ("due_at__isnull", True),
                                (
                                    "meaning__in",
                                    ["paid", "not_paid", "in_progress", "returned", "unreadable"],
                                ),
                                ("used_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="notification_used_has_result",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL.read_text(encoding="utf-8"), migrations.RunSQL.noop),
    ]
