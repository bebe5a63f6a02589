"""The staff's six groups exist wherever the tables exist, in test databases too."""

from typing import Any

from django.db import migrations


def make_groups(_apps: Any, _schema_editor: Any) -> None:
    # The rows follow from a table in the code and belong to Django's own models, which do not change
    # under us, so the live function may run here. A later change of the table needs a migration
    # that calls it again.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0002_guards"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
