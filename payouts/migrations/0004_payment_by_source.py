"""What did not come through the API is rare, and is found by an index that only holds it."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("payouts", "0003_staff_groups")]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                fields=["source", "-id"], condition=~Q(source="api"), name="payment_by_source"
            ),
        ),
    ]
