"""Settlement files of networks, what came of their lines, and who may see them."""

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
        ("consumers", "0007_partner_event"),
        ("payouts", "0021_change_events"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SettlementFile",
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
                ("network", models.CharField(max_length=24)),
                ("reference", models.CharField(max_length=35)),
                ("acquiring_bin", models.CharField(max_length=11)),
                ("card_acceptor_id", models.CharField(max_length=15)),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("made_at", models.DateTimeField()),
                ("currency", models.CharField(max_length=3)),
                ("lines", models.PositiveIntegerField()),
                ("credits", models.PositiveIntegerField()),
                ("credited", models.DecimalField(decimal_places=2, max_digits=16)),
                ("returns", models.PositiveIntegerField()),
                ("returned", models.DecimalField(decimal_places=2, max_digits=16)),
                ("sha256", models.BinaryField(max_length=32, unique=True)),
                ("size_bytes", models.PositiveBigIntegerField()),
                ("pieces", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reading", "Reading"),
                            ("matching", "Matching"),
                            ("comparing", "Comparing"),
                            ("waiting", "Waiting"),
                            ("acting", "Acting"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                        ],
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("pieces_read", models.PositiveIntegerField(default=0)),
                ("records_read", models.PositiveIntegerField(default=0)),
                ("lines_matched", models.PositiveIntegerField(default=0)),
                ("refusal", models.JSONField(default=dict)),
                ("decided_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
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
                    "uploaded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "settlement file",
            },
        ),
        migrations.CreateModel(
            name="SettlementFinding",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("line_number", models.PositiveIntegerField(null=True)),
                ("outcome", models.CharField(max_length=16)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("acted_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.case",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.settlementfile",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.payment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SettlementLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "file_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("kind", models.CharField(max_length=6)),
                ("acquiring_bin", models.CharField(max_length=11)),
                ("trace_number", models.CharField(max_length=6)),
                ("retrieval_reference_number", models.CharField(max_length=12)),
                ("card_acceptor_id", models.CharField(max_length=15)),
                ("terminal_id", models.CharField(max_length=8)),
                ("transaction_id", models.CharField(max_length=18)),
                ("status_identifier", models.CharField(max_length=18)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("currency", models.CharField(max_length=3)),
                ("settled_on", models.DateField()),
                ("card_last4", models.CharField(max_length=4)),
                ("outcome", models.CharField(db_default="", default="", max_length=16)),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.settlementfile",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.payment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SettlementPiece",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "file_id",
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
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payouts.settlementfile",
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="case",
            name="case_closed_has_reason",
        ),
        migrations.RemoveConstraint(
            model_name="journal",
            name="journal_names_its_payment",
        ),
        migrations.RemoveConstraint(
            model_name="journal",
            name="journal_known_kind",
        ),
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
                ],
                max_length=24,
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
                    ("reconciled", "Reconciled"),
                ],
                max_length=12,
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
                        (
                            "way__in",
                            [
                                "nothing",
                                "charge_partner",
                                "house_bears",
                                "give_back",
                                "to_suspense",
                            ],
                        ),
                    ),
                    _connector="OR",
                ),
                name="case_closed_has_reason",
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
                            "reconciled",
                        ],
                    )
                ),
                name="journal_known_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="journal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["funded", "settled", "reconciled"]),
                    ("payment__isnull", False),
                    _connector="OR",
                ),
                name="journal_names_its_payment",
            ),
        ),
        migrations.AddIndex(
            model_name="settlementfile",
            index=models.Index(fields=["state", "id"], name="settlement_at_work"),
        ),
        migrations.AddConstraint(
            model_name="settlementfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "reading",
                            "matching",
                            "comparing",
                            "waiting",
                            "acting",
                            "done",
                            "refused",
                        ],
                    )
                ),
                name="settlement_known_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("begins_at__lt", models.F("ends_at"))),
                name="settlement_has_window",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    ("uploaded_by__isnull", True),
                    models.Q(("decided_by", models.F("uploaded_by")), _negated=True),
                    _connector="OR",
                ),
                name="settlement_four_eyes",
            ),
        ),
        migrations.AddIndex(
            model_name="settlementfinding",
            index=models.Index(fields=["file", "outcome", "id"], name="finding_by_outcome"),
        ),
        migrations.AddIndex(
            model_name="settlementfinding",
            index=models.Index(
                condition=models.Q(("acted_at__isnull", True)),
                fields=["file", "id"],
                name="finding_to_do",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementfinding",
            constraint=models.UniqueConstraint(
                fields=("file", "line_number"), name="finding_once_per_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementfinding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "missing_there")),
                fields=("payment",),
                name="finding_missing_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        [
                            "",
                            "matched",
                            "resolves",
                            "returned",
                            "contradicts",
                            "amount_differs",
                            "currency_differs",
                            "identity_differs",
                            "late",
                            "duplicate",
                            "missing_here",
                            "missing_there",
                        ],
                    )
                ),
                name="settlement_line_known_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementline",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        [
                            "",
                            "duplicate",
                            "missing_here",
                        ],
                    ),
                    _negated=True,
                ),
                fields=("payment", "kind"),
                name="settlement_line_counts_once",
            ),
        ),
        migrations.RunSQL(
            (SQL / "settlements.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
