"""A key of cards that holds what payments repeat of them.

The narrower key before it is dropped in `payouts`, once no payment leans on it any more.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0013_plain_audit_labels"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="paymentcard",
            constraint=models.UniqueConstraint(
                fields=("id", "consumer", "partner", "network", "last4"), name="payment_card_shown"
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="paymentcard", name="payment_card_of_consumer"
                ),
            ],
        ),
    ]
