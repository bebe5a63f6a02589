"""Writes the search words anew of those who have a letter in their names that is not ASCII.

Of everybody else they are what they were. Five thousand a transaction, by key, beside whatever else
runs; stopped and started again it looks through all of them once more and writes what is missing.
"""

from typing import Any, Final

from django.db import migrations

_PIECE: Final = """
WITH piece AS (
    SELECT id, octet_length(said) <> length(said) AS has_accents
    FROM (
        SELECT id, concat(first_name, last_name, email, pcid) AS said
        FROM consumers_consumer WHERE id > %s ORDER BY id LIMIT 5000
    ) next_ones
), written AS (
    UPDATE consumers_consumer SET search_vector = NULL
    WHERE id IN (SELECT id FROM piece WHERE has_accents)
)
SELECT id FROM piece ORDER BY id DESC LIMIT 1
"""
_FIRST: Final = "00000000-0000-0000-0000-000000000000"


def write_all(_apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_PIECE, [_FIRST])
        while row := cursor.fetchone():
            cursor.execute(_PIECE, [row[0]])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("consumers", "0011_plain_words"),
    ]

    operations = [migrations.RunPython(write_all, migrations.RunPython.noop)]
