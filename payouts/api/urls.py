"""Where the payment endpoints are. The order matters: `quote` is no payment's id."""

from django.urls import path

from consumers.api import addresses
from payouts.api import event_views, notification_views, views, webhook_views

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
    path(
        "networks/<slug:network>/notifications/",
        notification_views.NotificationsView.as_view(),
        name="network-notifications",
    ),
    path("v2/balance/", views.BalanceView.as_view(), name="balance"),
    path("v2/events/", event_views.EventFeedView.as_view(), name="event-feed"),
    path("v2/events/<str:event_id>/", event_views.EventView.as_view(), name="event"),
    path("v2/webhooks/", webhook_views.WebhooksView.as_view(), name="webhooks"),
    path("v2/webhooks/<any_uuid:webhook_id>/", webhook_views.WebhookView.as_view(), name="webhook"),
    path(
        "v2/webhooks/<any_uuid:webhook_id>/rotate-secret/",
        webhook_views.RotateSecretView.as_view(),
        name="webhook-rotate-secret",
    ),
    path(
        "v2/webhooks/<any_uuid:webhook_id>/test/",
        webhook_views.TestView.as_view(),
        name="webhook-test",
    ),
    path(
        "v2/webhooks/<any_uuid:webhook_id>/deliveries/",
        webhook_views.DeliveriesView.as_view(),
        name="webhook-deliveries",
    ),
    path(
        "v2/webhooks/<any_uuid:webhook_id>/replay/",
        webhook_views.ReplayView.as_view(),
        name="webhook-replay",
    ),
]
