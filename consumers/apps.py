from django.apps import AppConfig


class ConsumersConfig(AppConfig):
    name = "consumers"
    verbose_name = "Partners and consumers"

    def ready(self) -> None:
        from consumers.audit import sign_ins  # noqa: F401  # importing connects it
