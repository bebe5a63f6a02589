"""What was refused may come again: a person can have said no by mistake."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0033_what_comes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="settlementfile",
            name="sha256",
            field=models.BinaryField(max_length=32),
        ),
        migrations.AddConstraint(
            model_name="settlementfile",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "refused"), _negated=True),
                fields=("sha256",),
                name="settlement_taken_once",
            ),
        ),
    ]
