"""What was missing may come, and then its case ends."""

from pathlib import Path

from django.conf import settings
from django.db import migrations, models

import payouts.doubts

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0012_plain_words_of_all"),
        ("payouts", "0032_bank_statements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="case",
            name="case_closed_by_two",
        ),
        migrations.RemoveConstraint(
            model_name="case",
            name="case_closed_has_reason",
        ),
        migrations.RemoveConstraint(
            model_name="settlementline",
            name="settlement_line_known_outcome",
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at__isnull", True),
                        ("closed_by__isnull", True),
                        ("state", payouts.doubts.CaseState["OPEN"]),
                        ("way", ""),
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("closed_by__isnull", False),
                        ("closing_reason__gt", ""),
                        ("state", payouts.doubts.CaseState["CLOSED"]),
                        (
                            "way__in",
                            [
                                "nothing",
                                "charge_partner",
                                "house_bears",
                                "give_back",
                                "to_suspense",
                                "to_network",
                            ],
                        ),
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("closed_by__isnull", True),
                        ("closing_reason__gt", ""),
                        (
                            "kind__in",
                            [
                                payouts.doubts.CaseKind["MISSING_AT_BANK"],
                                payouts.doubts.CaseKind["MISSING_THERE"],
                            ],
                        ),
                        ("state", payouts.doubts.CaseState["CLOSED"]),
                        ("way", payouts.doubts.Way["CAME"]),
                    ),
                    _connector="OR",
                ),
                name="case_closed_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("change__isnull", True),
                        ("journal__isnull", True),
                        ("state", payouts.doubts.CaseState["OPEN"]),
                    ),
                    ("change__isnull", False),
                    models.Q(("amount", 0), ("journal__isnull", True)),
                    models.Q(("journal__isnull", True), ("way", payouts.doubts.Way["CAME"])),
                    _connector="OR",
                ),
                name="case_closed_by_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        [
                            "",
                            "matched",
                            "resolves",
                            "returned",
                            "contradicts",
                            "amount_differs",
                            "currency_differs",
                            "identity_differs",
                            "late",
                            "duplicate",
                            "missing_here",
                            "missing_there",
                            "came",
                        ],
                    )
                ),
                name="settlement_line_known_outcome",
            ),
        ),
        migrations.RunSQL(
            (SQL / "what_comes.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
