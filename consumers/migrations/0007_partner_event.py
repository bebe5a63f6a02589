"""What partners are told about besides payments."""

import django.db.models.deletion
from django.db import migrations, models

import consumers.ids


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0006_closed_by_staff"),
    ]

    operations = [
        migrations.CreateModel(
            name="PartnerEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.UUIDField(default=consumers.ids.new_id, unique=True)),
                ("type", models.CharField(max_length=40)),
                ("subject_id", models.UUIDField()),
                ("data", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                (
                    "partner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.partner",
                    ),
                ),
            ],
        ),
    ]
