"""What people settle doubts by: evidence, cases, and who may."""

from pathlib import Path
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import consumers.ids
import payouts.doubts

SQL = Path(__file__).parent / "sql"


def give_groups_their_permissions(_apps: Any, _schema_editor: Any) -> None:
    # As in 0003: the table in the code has new rows, and the groups follow from it.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0006_closed_by_staff"),
        ("payouts", "0015_signatures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
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
                            ("late_answer", "late_answer"),
                            ("unexpected_return", "unexpected_return"),
                            ("return_differs", "return_differs"),
                        ],
                        max_length=24,
                    ),
                ),
                ("subject", models.CharField(max_length=128)),
                ("title", models.CharField(max_length=200)),
                ("ours", models.JSONField(default=dict)),
                ("theirs", models.JSONField(default=dict)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=14)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("closed", "closed")],
                        default=payouts.doubts.CaseState["OPEN"],
                        max_length=8,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("way", models.CharField(blank=True, max_length=16)),
                ("closing_reason", models.CharField(blank=True, max_length=500)),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "case",
            },
        ),
        migrations.CreateModel(
            name="EvidenceFile",
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
                ("name", models.CharField(max_length=200)),
                ("media_type", models.CharField(max_length=40)),
                ("size_bytes", models.PositiveIntegerField()),
                ("sha256", models.BinaryField(max_length=32)),
                ("sealed", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "evidence",
            },
        ),
        migrations.RemoveConstraint(
            model_name="changerequest",
            name="change_known_state",
        ),
        migrations.RemoveConstraint(
            model_name="changerequest",
            name="change_four_eyes",
        ),
        migrations.RemoveConstraint(
            model_name="event",
            name="event_known_kind",
        ),
        migrations.RemoveConstraint(
            model_name="journal",
            name="journal_known_kind",
        ),
        migrations.AddField(
            model_name="attempt",
            name="asking_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="attempt",
            name="next_by_schedule_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="changerequest",
            name="state",
            field=models.CharField(
                choices=[
                    ("proposed", "proposed"),
                    ("applied", "applied"),
                    ("rejected", "rejected"),
                    ("withdrawn", "withdrawn"),
                    ("expired", "expired"),
                    ("overtaken", "overtaken"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "Created"),
                    ("approval_required", "Approval Required"),
                    ("decided", "Decided"),
                    ("approved", "Approved"),
                    ("rejected", "Rejected"),
                    ("expired", "Expired"),
                    ("canceled", "Canceled"),
                    ("sent", "Sent"),
                    ("not_sent", "Not Sent"),
                    ("unknown", "Unknown"),
                    ("inquired", "Inquired"),
                    ("completed", "Completed"),
                    ("failed", "Failed"),
                    ("returned", "Returned"),
                    ("confirmed", "Confirmed"),
                    ("corrected", "Corrected"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="journal",
            name="kind",
            field=models.CharField(
                choices=[
                    ("funded", "Funded"),
                    ("accepted", "Accepted"),
                    ("completed", "Completed"),
                    ("released", "Released"),
                    ("returned", "Returned"),
                    ("settled", "Settled"),
                    ("corrected", "Corrected"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="changerequest",
            index=models.Index(
                condition=models.Q(
                    ("kind__in", ["resolve_unknown", "return_payment", "close_case"])
                ),
                fields=["subject", "-id"],
                name="change_of_doubt",
            ),
        ),
        migrations.AddConstraint(
            model_name="changerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["proposed", "applied", "rejected", "withdrawn", "expired", "overtaken"],
                    )
                ),
                name="change_known_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="changerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True),
                        ("decided_by__isnull", True),
                        ("state", "proposed"),
                    ),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", True),
                        ("state__in", ["expired", "overtaken"]),
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
        ),
        migrations.AddConstraint(
            model_name="changerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind__in", ["resolve_unknown", "return_payment", "close_case"]),
                    ("state", "proposed"),
                ),
                fields=("subject",),
                name="change_one_resolution_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "created",
                            "approval_required",
                            "decided",
                            "approved",
                            "rejected",
                            "expired",
                            "canceled",
                            "sent",
                            "not_sent",
                            "unknown",
                            "inquired",
                            "completed",
                            "failed",
                            "returned",
                            "confirmed",
                            "corrected",
                        ],
                    )
                ),
                name="event_known_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="journal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "funded",
                            "accepted",
                            "completed",
                            "released",
                            "returned",
                            "settled",
                            "corrected",
                        ],
                    )
                ),
                name="journal_known_kind",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="change",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payouts.changerequest",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="closed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="journal",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payouts.journal",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="owner",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="partner",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consumers.partner",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="payment",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payouts.payment",
            ),
        ),
        migrations.AddField(
            model_name="evidencefile",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="payouts.payment"
            ),
        ),
        migrations.AddField(
            model_name="evidencefile",
            name="uploaded_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["state", "id"], name="case_by_state"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["owner", "state", "id"], name="case_by_owner"),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(fields=("kind", "subject"), name="case_once"),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0)), name="case_amount_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at__isnull", True),
                        ("closed_by__isnull", True),
                        ("state", payouts.doubts.CaseState["OPEN"]),
                        ("way", ""),
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("closed_by__isnull", False),
                        ("closing_reason__gt", ""),
                        ("state", payouts.doubts.CaseState["CLOSED"]),
                        ("way__in", ["nothing", "charge_partner", "house_bears", "give_back"]),
                    ),
                    _connector="OR",
                ),
                name="case_closed_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("change__isnull", True),
                        ("journal__isnull", True),
                        ("state", payouts.doubts.CaseState["OPEN"]),
                    ),
                    ("change__isnull", False),
                    models.Q(("amount", 0), ("journal__isnull", True)),
                    _connector="OR",
                ),
                name="case_closed_by_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidencefile",
            constraint=models.UniqueConstraint(fields=("payment", "sha256"), name="evidence_once"),
        ),
        migrations.RunSQL((SQL / "doubts.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop),
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
