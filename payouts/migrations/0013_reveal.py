"""Who may see a date of birth and a tax identifier whole."""

from typing import Any

from django.db import migrations


def give_groups_their_permissions(_apps: Any, _schema_editor: Any) -> None:
    # As in 0003: the table in the code has a new row, and the groups follow from it.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0012_ledger_guards"),
        ("consumers", "0006_closed_by_staff"),
    ]

    operations = [
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
