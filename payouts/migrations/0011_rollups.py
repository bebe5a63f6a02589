"""Sums over payments that screens read, and how far the events are counted in them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0003_audit_entry"),
        ("payouts", "0010_sign_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="PushRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "began_at",
                        "status",
                        "failure_code",
                        "pace",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("status", models.CharField(max_length=16)),
                ("failure_code", models.CharField(blank=True, max_length=48)),
                ("pace", models.PositiveSmallIntegerField(default=0)),
                ("payments", models.BigIntegerField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=20)),
                ("fees", models.DecimalField(decimal_places=2, max_digits=20)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("payments", 0)),
                        fields=["began_at"],
                        name="push_rollup_emptied",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RollupCursor",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("last_event_id", models.BigIntegerField(default=0)),
                ("followed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="rollup_cursor_is_one"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PartnerRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "partner_id",
                        "status",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("status", models.CharField(max_length=16)),
                ("payments", models.BigIntegerField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=20)),
                ("fees", models.DecimalField(decimal_places=2, max_digits=20)),
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
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("payments", 0)),
                        fields=["day"],
                        name="partner_rollup_emptied",
                    )
                ],
            },
        ),
    ]
