"""References are found by how they begin, in letters of any case."""

from django.contrib.postgres.indexes import OpClass
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [("payouts", "0006_four_eyes")]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                F("partner"),
                OpClass(Upper("reference"), name="text_pattern_ops"),
                F("id").desc(),
                condition=~Q(reference=""),
                name="payment_by_reference_start",
            ),
        ),
        migrations.RemoveIndex(model_name="payment", name="payment_by_reference"),
    ]
