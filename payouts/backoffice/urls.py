"""The addresses of the back office's own pages, inside those of the admin site."""

from django.urls import path

from payouts.backoffice import (
    approvals,
    batch_decision,
    batch_page,
    batch_results,
    batches,
    changes,
    evidence,
    exports,
    issue,
    live,
    push_views,
    settings,
)

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
    path("changes/", changes.queue, name="changes"),
    path("changes/<uuid:change_id>/", changes.one, name="change"),
    path("changes/<uuid:change_id>/decide/", changes.decide, name="decide_change"),
    path("changes/<uuid:change_id>/withdraw/", changes.withdraw, name="withdraw_change"),
    path("changes/<uuid:change_id>/secret/", changes.collect, name="collect_secret"),
    path("settings/", settings.home, name="settings"),
    path("settings/propose/<slug:kind_name>/", changes.propose, name="propose"),
    path("settings/partner/<uuid:partner_id>/", settings.partner, name="partner_settings"),
    path(
        "settings/partner/<uuid:partner_id>/switch-off/",
        settings.switch_off,
        name="switch_off_partner",
    ),
    path("exports/", exports.exports, name="exports"),
    path("exports/progress/", exports.progress, name="exports_progress"),
    path("exports/ask/", exports.ask, name="ask_export"),
    path("exports/<uuid:export_id>/file/", exports.file, name="export_file"),
    path("pushes/facets/", push_views.facets, name="facets"),
    path("pushes/columns/", push_views.columns, name="columns"),
    path("pushes/views/save/", push_views.save, name="save_view"),
    path("pushes/views/open-with/", push_views.open_with, name="open_with"),
    path("pushes/views/<int:view_id>/delete/", push_views.delete, name="delete_view"),
    path("push/<uuid:payment_id>/evidence/", evidence.page, name="evidence"),
    path("push/<uuid:payment_id>/evidence/document/", evidence.document, name="evidence_document"),
    path("push/<uuid:payment_id>/evidence/pdf/", evidence.pdf, name="evidence_pdf"),
    path("push/<uuid:payment_id>/live/", live.push, name="push_live"),
    path("batches/", batches.batches, name="batches"),
    path("batches/new/", batches.new, name="new_batch"),
    path("batches/template/<str:kind>/", batches.template, name="batch_template"),
    path("batches/<uuid:batch_id>/", batch_page.batch, name="batch"),
    path("batches/<uuid:batch_id>/live/", batch_page.live, name="batch_live"),
    path("batches/<uuid:batch_id>/choose/", batch_page.choose, name="choose_lines"),
    path("batches/<uuid:batch_id>/check/", batch_page.check_again, name="check_batch"),
    path("batches/<uuid:batch_id>/issue/", batch_page.issue, name="issue_batch"),
    path("batches/<uuid:batch_id>/withdraw/", batch_page.withdraw, name="withdraw_batch"),
    path("batches/<uuid:batch_id>/cancel/", batch_page.cancel, name="cancel_batch"),
    path("batches/<uuid:batch_id>/decide/", batch_decision.decide, name="decide_batch"),
    path("batches/<uuid:batch_id>/order/", batch_decision.order, name="order_batch"),
    path(
        "batches/<uuid:batch_id>/results/<str:kind>/", batch_results.results, name="batch_results"
    ),
]
