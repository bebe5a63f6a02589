from django.apps import AppConfig, apps


class PayoutsConfig(AppConfig):
    name = "payouts"
    verbose_name = "Pushes and ledger"

    def ready(self) -> None:
        # What the sidebar calls the pages of Django's own users and groups.
        apps.get_app_config("auth").verbose_name = "Staff"
