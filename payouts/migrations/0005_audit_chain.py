"""The chain over the audit trail, the histories and the ledger; triggers; who may read the trail."""

from pathlib import Path
from typing import Any

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


def give_groups_their_permissions(_apps: Any, _schema_editor: Any) -> None:
    # As in 0003: the table in the code has a new row, and the groups follow from it.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0004_payment_by_source"),
        ("consumers", "0003_audit_entry"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditBlock",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=16)),
                ("format", models.PositiveSmallIntegerField()),
                ("from_id", models.BigIntegerField()),
                ("to_id", models.BigIntegerField()),
                ("rows", models.PositiveIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
                ("marks", models.BinaryField()),
                ("previous_hash", models.BinaryField(max_length=32, unique=True)),
                ("hash", models.BinaryField(max_length=32)),
                ("linked_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "to_id"), name="audit_block_one_range"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("from_id__lte", models.F("to_id")),
                            ("number__gte", 1),
                            ("rows__gte", 1),
                        ),
                        name="audit_block_holds_rows",
                    ),
                ],
            },
        ),
        migrations.RunSQL((SQL / "audit.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop),
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
