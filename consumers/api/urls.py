"""The addresses of tokens, consumers and cards, below the root."""

from django.urls import path

from consumers.api import addresses, views
from consumers.api.tokens import TokenView

# Registers what reads ids in the addresses below.
assert addresses.ANY_UUID

urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="create-token"),
    path("v2/consumers/", views.ConsumersView.as_view(), name="consumers"),
    # A partner's own id may hold a slash.
    path(
        "v2/consumers/pcid/<path:pcid>/",
        views.ConsumerByPcidView.as_view(),
        name="consumer-by-pcid",
    ),
    path("v2/consumers/<any_uuid:consumer_id>/", views.ConsumerView.as_view(), name="consumer"),
    path(
        "v2/consumers/<any_uuid:consumer_id>/cancel-account/",
        views.CancelAccountView.as_view(),
        name="consumer-cancel-account",
    ),
    path(
        "v2/consumers/<any_uuid:consumer_id>/external-payment-cards/",
        views.ConsumerCardsView.as_view(),
        name="consumer-cards",
    ),
    path("v2/external-payment-cards/<any_uuid:card_id>/", views.CardView.as_view(), name="card"),
    path(
        "v2/external-payment-cards/<any_uuid:card_id>/check/",
        views.CheckCardView.as_view(),
        name="card-check",
    ),
]
