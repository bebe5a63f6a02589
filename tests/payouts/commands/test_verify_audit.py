"""The command's words, JSON and exit codes. What it finds is in `tests/payouts/audit`."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from consumers.models import AuditEntry
from payouts.audit.chain import chain_head
from payouts.operations.link_audit import link_audit_trail
from payouts.operations.verify_audit import verify_what_is_new
from tests.owner import forced
from tests.payouts.audit.tampering import ids_of, make_histories
from tests.payouts.commands.running import refusal, run, run_json
from tests.pushes import make_payee, push

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def linked() -> None:
    make_histories()


def tampered(*words: str) -> str:
    """What the command prints when something was found: it ends with 1."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", *words, stdout=out, stderr=StringIO())
    assert ended.value.code == 1
    return out.getvalue()


def test_prints_the_head_to_keep_elsewhere() -> None:
    printed = run("verify_audit").splitlines()
    assert "what is linked is as it was written" in printed[0]
    assert printed[-1] == f"audit_head {chain_head()}"


def test_prints_json_for_scripts() -> None:
    printed = run_json("verify_audit")
    assert printed["holds"] is True
    assert printed["head"] == str(chain_head())
    assert (printed["findings"], printed["tampered"], printed["first_block"]) == ([], 0, 1)


def test_ends_with_1_and_names_what_was_tampered_with() -> None:
    forced("DELETE FROM payouts_posting")
    printed = tampered()
    assert "posting" in printed
    assert "was deleted" in printed
    assert "was TAMPERED WITH" in printed
    assert json.loads(tampered("--json"))["holds"] is False


def test_compares_a_head_that_was_kept() -> None:
    head = str(chain_head())
    assert "as it was written" in run("verify_audit", "--expect", head)
    number, _, digest = head.partition(":")
    other = f"{number}:{digest[::-1]}"
    assert "cut off or written anew" in tampered("--expect", other)


def test_begins_where_it_is_told_to() -> None:
    assert run_json("verify_audit", "--from", "2")["first_block"] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "0"),
        ("--from", "900"),
        ("--expect", "12"),
        ("--expect", "1:xyz"),
        ("--workers", "0"),
    ],
)
def test_refuses_what_makes_no_sense(words: tuple[str, ...]) -> None:
    assert refusal("verify_audit", *words)


def test_draws_how_far_it_is_on_standard_error() -> None:
    err = StringIO()
    call_command("verify_audit", stdout=StringIO(), stderr=err)
    assert "rows      [############################] 100 %" in err.getvalue()


def test_leaves_an_entry_about_what_it_found() -> None:
    head = chain_head()
    run("verify_audit")
    entry = AuditEntry.objects.get(verb="verify")
    assert (entry.result, entry.after["head"]) == ("done", str(head))
    forced("UPDATE payouts_posting SET amount = amount * 2")
    tampered()
    entry = AuditEntry.objects.filter(verb="verify").latest("id")
    assert (entry.result, entry.after["tampered"]) == ("failed", len(ids_of("posting")))
    assert "posting" in entry.reason


def test_the_hourly_look_begins_behind_the_last_one_that_was_good() -> None:
    first = verify_what_is_new()
    push(make_payee())
    link_audit_trail()
    assert first.head is not None
    second = verify_what_is_new()
    assert (second.first, second.holds) == (first.head.number + 1, True)
    forced("UPDATE payouts_event SET actor = 'nobody'")
    # What was found good before is for the whole verification.
    assert verify_what_is_new().holds
    assert "event" in tampered()


def test_the_hourly_look_comes_again_to_what_was_tampered_with() -> None:
    forced("DELETE FROM payouts_event WHERE id = (SELECT max(id) FROM payouts_event)")
    assert not verify_what_is_new().holds
    assert not verify_what_is_new().holds
