"""What Celery runs. A task names no payment: it looks at the database's queue and calls inward.

Each runs once at a time in a worker (`payouts.work.alone`), so that none can take all its threads.
"""

from typing import Any, Final

from celery import shared_task
from celery.signals import worker_shutting_down

from payouts.operations.changes import expire_changes
from payouts.operations.count_tries import forget_old_tries
from payouts.operations.decide import expire_undecided_payments
from payouts.operations.end_sessions import delete_expired_sessions
from payouts.operations.export_pushes import delete_expired_exports, write_next_export
from payouts.operations.follow_events import follow_events
from payouts.operations.inquire import give_up_lost_senders
from payouts.operations.link_audit import link_audit_trail
from payouts.operations.overtake import overtake_answered
from payouts.operations.purge_deliveries import purge_deliveries
from payouts.operations.purge_usage import purge_daily_usage
from payouts.operations.reconciliation.prove_day import prove_what_is_new
from payouts.operations.report_missing_keys import report_missing_card_keys
from payouts.operations.take_notification import forget_forged_notifications
from payouts.operations.verify_audit import verify_what_is_new
from payouts.webhooks import deliver
from payouts.work import batch_work, drain, settlement_work, statement_work
from payouts.work.alone import AloneTask
from payouts.work.notification_work import use_waiting_notifications
from payouts.work.settlement_fetching import fetch_missing_settlements

_BATCH: Final = 500
# A few hundredths of a second a minute; a full day of creates is gone within the next one.
_PURGED_AT_ONCE: Final = 20_000
# Who knocks at the sign-in under ever new names makes rows: so many a minute keep up with eighty
# knocks a second.
_FORGOTTEN_AT_ONCE: Final = 5_000
# Each takes seconds; the rest is proved by the next sweep.
_PROVED_AT_ONCE: Final = 7


@worker_shutting_down.connect
def stop_claiming(**_signal: Any) -> None:
    drain.stop()
    batch_work.stop()
    settlement_work.stop()
    statement_work.stop()
    deliver.stop()


@shared_task(name="payouts.send_due_payments", base=AloneTask)
def send_due_payments() -> None:
    drain.send_due_payments()


@shared_task(name="payouts.inquire_unknown_payments", base=AloneTask)
def inquire_unknown_payments() -> None:
    give_up_lost_senders(limit=_BATCH)
    drain.inquire_unknown_payments()


@shared_task(name="payouts.use_notifications", base=AloneTask)
def use_notifications() -> None:
    use_waiting_notifications()


@shared_task(name="payouts.purge_deliveries", base=AloneTask)
def purge_old_deliveries() -> None:
    purge_deliveries(limit=_PURGED_AT_ONCE)


@shared_task(name="payouts.forget_forged_notifications", base=AloneTask)
def forget_notifications() -> None:
    forget_forged_notifications()


@shared_task(name="payouts.work_on_batches", base=AloneTask)
def work_on_batches() -> None:
    batch_work.work_on_batches()


@shared_task(name="payouts.fetch_settlements", base=AloneTask)
def fetch_settlements() -> None:
    fetch_missing_settlements()


@shared_task(name="payouts.work_on_settlements", base=AloneTask)
def work_on_settlements() -> None:
    settlement_work.work_on_settlements()
    statement_work.work_on_statements()
    prove_what_is_new(limit=_PROVED_AT_ONCE)


@shared_task(name="payouts.deliver_webhooks", base=AloneTask)
def deliver_webhooks() -> None:
    deliver.deliver_webhooks()


@shared_task(name="payouts.expire_undecided_payments", base=AloneTask)
def expire_undecided() -> None:
    expire_undecided_payments(limit=_BATCH)
    overtake_answered(limit=_BATCH)
    expire_changes(limit=_BATCH)


@shared_task(name="payouts.link_audit_trail", base=AloneTask)
def link_audit() -> None:
    link_audit_trail()


@shared_task(name="payouts.follow_events", base=AloneTask)
def follow() -> None:
    follow_events()


@shared_task(name="payouts.verify_audit_trail", base=AloneTask)
def verify_audit() -> None:
    verify_what_is_new()


@shared_task(name="payouts.report_missing_card_keys", base=AloneTask)
def report_missing_keys() -> None:
    report_missing_card_keys()


@shared_task(name="payouts.purge_daily_usage", base=AloneTask)
def purge_usage() -> None:
    purge_daily_usage(limit=_PURGED_AT_ONCE)


@shared_task(name="payouts.forget_sign_ins", base=AloneTask)
def forget_sign_ins() -> None:
    forget_old_tries(limit=_FORGOTTEN_AT_ONCE)
    delete_expired_sessions(limit=_FORGOTTEN_AT_ONCE)


@shared_task(name="payouts.write_exports", base=AloneTask)
def write_exports() -> None:
    while write_next_export():
        pass


@shared_task(name="payouts.delete_expired_exports", base=AloneTask)
def delete_exports() -> None:
    delete_expired_exports()
