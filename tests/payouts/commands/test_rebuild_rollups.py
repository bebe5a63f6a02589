"""The command that writes the rollups anew, and says whether they are right."""

from io import StringIO

import pytest
from django.core.management import call_command

from payouts.operations.link_audit import link_audit_trail
from tests.books import execute
from tests.payouts.commands.running import run
from tests.payouts.rollups.books import broken, link_and_follow
from tests.pushes import make_payee, push

pytestmark = pytest.mark.django_db


def test_says_how_many_pushes_it_counted() -> None:
    push(make_payee())
    push(make_payee())
    link_audit_trail()
    assert run("rebuild_rollups").startswith("The rollups count 2 pushes.")
    assert broken() == []


def test_the_check_says_that_they_are_right() -> None:
    push(make_payee())
    link_and_follow()
    printed = run("rebuild_rollups", "--check")
    assert printed.count("holds") == 2
    assert "BROKEN" not in printed


def test_the_check_names_what_is_wrong_and_changes_nothing() -> None:
    push(make_payee())
    link_and_follow()
    execute("UPDATE payouts_pushrollup SET payments = 7")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_rollups", "--check", stdout=out)
    assert ended.value.code == 1
    assert "kept 7 of $100.00" in out.getvalue()
    assert broken() != []
