"""Pushes that failed for one reason are listed by an index of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0025_batch_tries"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("failure_code", ""), _negated=True),
                fields=["partner", "failure_code", "-id"],
                name="payment_by_failure",
            ),
        ),
    ]
