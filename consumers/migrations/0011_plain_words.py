"""Names are found without their accents."""

from pathlib import Path

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

SQL = Path(__file__).parent / "sql" / "plain_words.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0010_former_name"),
    ]

    operations = [
        migrations.RunSQL(
            SQL.read_text(encoding="utf-8"),
            migrations.RunSQL.noop,
            state_operations=[
                migrations.RemoveField(model_name="consumer", name="search_vector"),
                migrations.AddField(
                    model_name="consumer",
                    name="search_vector",
                    field=django.contrib.postgres.search.SearchVectorField(
                        editable=False, null=True
                    ),
                ),
            ],
        ),
        migrations.RemoveIndex(model_name="partner", name="partner_search"),
        migrations.AddIndex(
            model_name="partner",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector(
                    models.Func(
                        models.F("name"),
                        function="consumers_plain_words",
                        output_field=models.TextField(),
                    ),
                    config="simple",
                ),
                name="partner_search",
            ),
        ),
    ]
