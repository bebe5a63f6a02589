"""What could not be used so often is set aside, and some of the staff have it used again."""

from typing import Any

from django.db import migrations, models


def give_groups_their_permissions(_apps: Any, _schema_editor: Any) -> None:
    # As in 0003: the table in the code has new rows, and the groups follow from it.
    from payouts.staff import ensure_groups

    ensure_groups()


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0030_former_names"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="networknotification",
            name="notification_used_has_result",
        ),
        migrations.AddField(
            model_name="networknotification",
            name="problem",
            field=models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
        migrations.AddField(
            model_name="networknotification",
            name="set_aside_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="networknotification",
            index=models.Index(
                condition=models.Q(("set_aside_at__isnull", False)),
                fields=["-id"],
                name="notification_set_aside",
            ),
        ),
        migrations.AddConstraint(
            model_name="networknotification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("came_to", ""),
                        ("due_at__isnull", False),
                        ("meaning", ""),
                        ("set_aside_at__isnull", True),
                        ("used_at__isnull", True),
                    ),
                    models.Q(
                        ("came_to", ""),
                        ("due_at__isnull", True),
                        ("meaning", ""),
                        ("set_aside_at__isnull", False),
                        ("used_at__isnull", True),
                    ),
                    models.Q(
                        (
                            "came_to__in",
                            ["settled", "nothing", "case", "asked", "not_believed", "not_ours"],
                        ),
                        ("due_at__isnull", True),
                        (
                            "meaning__in",
                            ["paid", "not_paid", "in_progress", "returned", "unreadable"],
                        ),
                        ("set_aside_at__isnull", True),
                        ("used_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="notification_used_has_result",
            ),
        ),
        migrations.RunPython(give_groups_their_permissions, migrations.RunPython.noop),
    ]
