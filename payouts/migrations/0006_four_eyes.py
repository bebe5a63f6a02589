"""Rules about possible duplicates; the last editor of a consumer decides about no push to it."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0005_audit_chain"),
        ("consumers", "0004_consumer_editor"),
    ]

    operations = [
        migrations.AddField(
            model_name="approvalrule",
            name="possible_duplicate",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="approvalrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", "possible_duplicate"), _negated=True),
                name="approval_rule_own_name",
            ),
        ),
        migrations.RunSQL(
            (SQL / "four_eyes.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
