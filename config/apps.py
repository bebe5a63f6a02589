from django.apps import AppConfig


class HouseConfig(AppConfig):
    """Makes the checks and the commands of this room known to Django."""

    name = "config"
    verbose_name = "House"

    def ready(self) -> None:
        from config import checks  # noqa: F401  # importing registers them
