"""Who of the staff closed an account; people are found by their phone number."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0005_consumer_tally"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="consumer",
            name="closed_by_user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="consumer",
            index=models.Index(
                condition=models.Q(("phone_number", ""), _negated=True),
                fields=["phone_number", "-id"],
                name="consumer_by_phone",
                opclasses=["varchar_pattern_ops", "uuid_ops"],
            ),
        ),
    ]
