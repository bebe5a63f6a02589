"""Statements of our bank, what came of their entries, and who may see them."""

from pathlib import Path
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import consumers.ids
import payouts.doubts
import payouts.reconciliation.bank_statements

SQL = Path(__file__).parent / "sql"


def give_groups_their_permissions(_apps: Any, _schema_editor: Any) -> None:
    # As in 0003: the table in the code has new rows, and the groups follow from it.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0009_partner_search"),
        ("payouts", "0031_notifications_set_aside"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BankEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=15)),
                ("booked_on", models.DateField()),
                ("bank_reference", models.CharField(blank=True, max_length=35)),
                ("text", models.CharField(blank=True, max_length=2000)),
                ("outcome", models.CharField(db_default="", default="", max_length=18)),
                ("acted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="BankStatement",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("reference", models.CharField(max_length=35)),
                ("account", models.CharField(max_length=35)),
                ("currency", models.CharField(max_length=3)),
                ("opens_on", models.DateField()),
                ("closes_on", models.DateField()),
                ("opening", models.DecimalField(decimal_places=2, max_digits=17)),
                ("closing", models.DecimalField(decimal_places=2, max_digits=17)),
            ],
        ),
        migrations.CreateModel(
            name="SettledAtBank",
            fields=[
                (
                    "settlement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="at_bank",
                        serialize=False,
                        to="payouts.settlementfile",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StatementFile",
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
                ("format", models.CharField(max_length=8)),
                ("sha256", models.BinaryField(max_length=32)),
                ("size_bytes", models.PositiveIntegerField()),
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
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("entries", models.PositiveIntegerField(default=0)),
                ("entries_matched", models.PositiveIntegerField(default=0)),
                ("problems", models.JSONField(default=list)),
                ("decided_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "bank statement",
            },
        ),
        migrations.RemoveConstraint(
            model_name="case",
            name="case_closed_has_reason",
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
                    ("unknown_instruction", "unknown_instruction"),
                    ("bank_amount_differs", "bank_amount_differs"),
                    ("bank_reference_differs", "bank_reference_differs"),
                    ("bank_settled_again", "bank_settled_again"),
                    ("bank_entry_unknown", "bank_entry_unknown"),
                    ("missing_at_bank", "missing_at_bank"),
                ],
                max_length=24,
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
                                "to_network",
                            ],
                        ),
                    ),
                    _connector="OR",
                ),
                name="case_closed_has_reason",
            ),
        ),
        migrations.AddField(
            model_name="bankentry",
            name="case",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payouts.case",
            ),
        ),
        migrations.AddField(
            model_name="bankentry",
            name="funding",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payouts.changerequest",
            ),
        ),
        migrations.AddField(
            model_name="bankentry",
            name="journal",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payouts.journal",
            ),
        ),
        migrations.AddField(
            model_name="bankentry",
            name="statement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="payouts.bankstatement",
            ),
        ),
        migrations.AddField(
            model_name="settledatbank",
            name="entry",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="settles",
                to="payouts.bankentry",
            ),
        ),
        migrations.CreateModel(
            name="StatementContent",
            fields=[
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="payouts.statementfile",
                    ),
                ),
                ("content", models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name="statementfile",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="statementfile",
            name="uploaded_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="bankstatement",
            name="file",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="statements",
                to="payouts.statementfile",
            ),
        ),
        migrations.AddField(
            model_name="bankentry",
            name="file",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payouts.statementfile",
            ),
        ),
        migrations.AddIndex(
            model_name="statementfile",
            index=models.Index(fields=["state", "id"], name="statement_at_work"),
        ),
        migrations.AddConstraint(
            model_name="statementfile",
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
                name="statement_known_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="statementfile",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "refused"), _negated=True),
                fields=("sha256",),
                name="statement_file_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="statementfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    ("uploaded_by__isnull", True),
                    models.Q(("decided_by", models.F("uploaded_by")), _negated=True),
                    _connector="OR",
                ),
                name="statement_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.UniqueConstraint(
                fields=("account", "closes_on"), name="statement_of_day_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("opens_on__lte", models.F("closes_on"))),
                name="statement_has_period",
            ),
        ),
        migrations.AddIndex(
            model_name="bankentry",
            index=models.Index(fields=["file", "outcome", "id"], name="entry_by_outcome"),
        ),
        migrations.AddIndex(
            model_name="bankentry",
            index=models.Index(
                condition=models.Q(("acted_at__isnull", True)),
                fields=["file", "id"],
                name="entry_to_do",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.UniqueConstraint(
                fields=("file", "number"), name="entry_once_per_file"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        [
                            "",
                            "settled",
                            "funded",
                            "amount_differs",
                            "reference_differs",
                            "settled_again",
                            "unknown",
                            "no_money",
                        ],
                    )
                ),
                name="entry_known_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("journal__isnull", True),
                    (
                        "outcome__in",
                        [
                            payouts.reconciliation.bank_statements.EntryOutcome["AMOUNT_DIFFERS"],
                            payouts.reconciliation.bank_statements.EntryOutcome[
                                "REFERENCE_DIFFERS"
                            ],
                            payouts.reconciliation.bank_statements.EntryOutcome["SETTLED"],
                        ],
                    ),
                    _connector="OR",
                ),
                name="entry_books_what_settles",
            ),
        ),
        migrations.RunSQL(
            (SQL / "bank_statements.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
