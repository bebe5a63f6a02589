"""The addresses of the back office's own pages, inside those of the admin site."""

from django.urls import path

from payouts.backoffice import approvals, issue, live

app_name = "backoffice"

urlpatterns = [
    path("issue/", issue.issue, name="issue"),
    path("issue/payees/", issue.payees, name="payees"),
    path("issue/quote/", issue.quote, name="quote"),
    path("issue/ask-network/", issue.ask_network, name="ask_network"),
    path("issue/confirm/", issue.confirm, name="confirm_push"),
    path("issue/send/", issue.send, name="send"),
    path("approvals/", approvals.queue, name="approvals"),
    path("approvals/confirm/", approvals.confirm, name="confirm_decision"),
    path("approvals/decide/", approvals.decide, name="decide"),
    path("push/<uuid:payment_id>/live/", live.push, name="push_live"),
]
