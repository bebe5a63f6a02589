"""A case about a return ends with what came back booked: as the return, or in suspense."""

from django.conf import settings
from django.db import migrations, models

import payouts.doubts


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0012_plain_words_of_all"),
        ("payouts", "0035_any_finding"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="case",
            name="case_closed_has_reason",
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
                                "all_to_suspense",
                                "came_back",
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
    ]
