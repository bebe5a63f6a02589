"""The addresses of tokens, consumers and cards, below the root."""

from django.urls import path

import consumers.api.schema  # noqa: F401
from consumers.api.tokens import TokenView

urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="create-token"),
]
