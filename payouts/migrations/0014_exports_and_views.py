"""Files of pushes, views of their list, and who may take files."""

from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import consumers.ids


def give_groups_their_permissions(_apps: Any, _schema_editor: Any) -> None:
    # As in 0003: the table in the code has new rows, and the groups follow from it.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("payouts", "0013_reveal"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
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
                ("query", models.TextField(blank=True)),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("csv", "Csv"), ("xlsx", "Xlsx")], max_length=4),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("expired", "Expired"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("rows_written", models.PositiveIntegerField(default=0)),
                ("rows_expected", models.PositiveIntegerField(null=True)),
                ("last_id", models.UUIDField(null=True)),
                ("claim", models.UUIDField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("size_bytes", models.BigIntegerField(default=0)),
                ("sha256", models.BinaryField(max_length=32, null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "export",
            },
        ),
        migrations.CreateModel(
            name="ExportPiece",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "export_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pieces",
                        to="payouts.export",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PushView",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("query", models.TextField()),
                ("is_shared", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "view of pushes",
            },
        ),
        migrations.CreateModel(
            name="PushListChoice",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), default=list, size=None
                    ),
                ),
                (
                    "default_view",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.pushview",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["asked_by", "-id"], name="export_of_person"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["claimed_until"],
                name="export_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("state", "done")), fields=["expires_at"], name="export_expiring"
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["csv", "xlsx"])), name="export_known_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "done", "refused", "expired"])),
                name="export_known_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("expires_at__isnull", False),
                        ("finished_at__isnull", False),
                        ("sha256__isnull", False),
                        ("state__in", ["done", "expired"]),
                    ),
                    models.Q(("sha256__isnull", True), ("state__in", ["waiting", "refused"])),
                    _connector="OR",
                ),
                name="export_done_has_digest",
            ),
        ),
        migrations.AddIndex(
            model_name="pushview",
            index=models.Index(
                condition=models.Q(("is_shared", True)), fields=["name"], name="push_view_shared"
            ),
        ),
        migrations.AddConstraint(
            model_name="pushview",
            constraint=models.UniqueConstraint(
                fields=("owner", "name"), name="push_view_name_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="pushview",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="push_view_has_name"
            ),
        ),
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
