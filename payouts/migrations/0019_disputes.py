"""What a payment says about its money while a case disputes it, and after it is closed."""

from pathlib import Path

from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).parent / "sql" / "disputes.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0007_partner_event"),
        ("payouts", "0018_webhook_roles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="event",
            name="event_known_kind",
        ),
        migrations.AddField(
            model_name="case",
            name="disputes",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="payment",
            name="moved_otherwise",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=7
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
                    ("disputed", "Disputed"),
                    ("upheld", "Upheld"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("disputes", False),
                    models.Q(("amount__gt", 0), ("payment__isnull", False)),
                    _connector="OR",
                ),
                name="case_disputes_a_payment",
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
                            "disputed",
                            "upheld",
                        ],
                    )
                ),
                name="event_known_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("moved_otherwise__in", ["", "no", "yes", "unknown"])),
                name="payment_known_moved",
            ),
        ),
        migrations.RunSQL(SQL.read_text(encoding="utf-8"), migrations.RunSQL.noop),
    ]
