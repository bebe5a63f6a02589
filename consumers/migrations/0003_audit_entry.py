"""The audit trail. Its triggers come with the other ones, in payouts, whose function they call."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0002_card_belongs_to_partner"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField()),
                ("verb", models.CharField(max_length=24)),
                ("result", models.CharField(max_length=8)),
                ("actor", models.CharField(max_length=160)),
                ("ip_address", models.GenericIPAddressField(null=True)),
                ("agent", models.CharField(blank=True, max_length=120)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("subject_type", models.CharField(max_length=48)),
                ("subject_id", models.CharField(blank=True, max_length=160)),
                ("subject_label", models.CharField(blank=True, max_length=160)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "client",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.apiclient",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.partner",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "indexes": [
                    models.Index(fields=["created_at", "id"], name="audit_by_time"),
                    models.Index(
                        fields=["actor", "id"],
                        name="audit_by_actor",
                        opclasses=["varchar_pattern_ops", "int8_ops"],
                    ),
                    models.Index(fields=["verb", "id"], name="audit_by_verb"),
                    models.Index(fields=["subject_id", "id"], name="audit_by_subject"),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("subject_label"),
                            name="text_pattern_ops",
                        ),
                        models.F("id"),
                        name="audit_by_label",
                    ),
                    models.Index(
                        condition=models.Q(("partner__isnull", False)),
                        fields=["partner", "id"],
                        name="audit_by_partner",
                    ),
                    models.Index(
                        condition=models.Q(("request_id", ""), _negated=True),
                        fields=["request_id", "id"],
                        name="audit_by_request",
                    ),
                    models.Index(
                        condition=models.Q(("result", "done"), _negated=True),
                        fields=["result", "id"],
                        name="audit_not_done",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("result__in", ["done", "refused", "failed"])),
                        name="audit_known_result",
                    )
                ],
            },
        ),
    ]
