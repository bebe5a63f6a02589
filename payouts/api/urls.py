"""Where the payment endpoints are. The order matters: `quote` is no payment's id."""

from django.urls import path

from consumers.api import addresses
from payouts.api import views

# Registers what reads ids in the addresses below.
assert addresses.ANY_UUID

urlpatterns = [
    path("v2/payments/oct/", views.PaymentsView.as_view(), name="payments"),
    path("v2/payments/oct/quote/", views.QuoteView.as_view(), name="payment-quote"),
    path("v2/payments/oct/<any_uuid:payment_id>/", views.PaymentView.as_view(), name="payment"),
    path(
        "v2/payments/oct/<any_uuid:payment_id>/cancel/",
        views.CancelView.as_view(),
        name="payment-cancel",
    ),
    path(
        "v2/payments/oct/<any_uuid:payment_id>/events/",
        views.EventsView.as_view(),
        name="payment-events",
    ),
    path("v2/balance/", views.BalanceView.as_view(), name="balance"),
]
