"""Finds audit entries by what a thing is called without its accents, beside whatever else runs."""

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Func
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("consumers", "0012_plain_words_of_all"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(
                OpClass(
                    Upper(
                        Func(
                            F("subject_label"),
                            function="consumers_plain_words",
                            output_field=models.TextField(),
                        )
                    ),
                    name="text_pattern_ops",
                ),
                F("id"),
                name="audit_by_plain_label",
            ),
        ),
        RemoveIndexConcurrently(model_name="auditentry", name="audit_by_label"),
    ]
