"""Who may see webhooks, and who may send their events again."""

from typing import Any

from django.db import migrations


def give_groups_their_permissions(_apps: Any, _schema_editor: Any) -> None:
    # As in 0003: the table in the code has new rows, and the groups follow from it.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [("payouts", "0017_webhooks")]

    operations = [
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
