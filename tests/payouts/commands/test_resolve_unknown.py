"""The command with which two members of staff say what became of a push."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from payouts.models import ChangeRequest, Payment
from payouts.states import Status
from tests.doubts import LETTER, two_operators
from tests.passkeys import Passkey
from tests.pushes import make_payee, make_staff, push_unknown, status_of
from tests.staff_factors import WRONG_CODE, code_of, give_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def unknown() -> Payment:
    two_operators()
    return push_unknown(make_payee())


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.pdf"
    path.write_bytes(LETTER.content)
    return path


def propose(payment: Payment, letter: Path, verdict: str = "paid", **more: Any) -> None:
    named = {"by": "opal", "reason": "They wrote", "evidence": str(letter), **more}
    options = [f"--{name}={value}" for name, value in named.items()]
    call_command("resolve_unknown", "propose", str(payment.pk), verdict, *options)


def decide(
    *, by: str = "otto", digest: str = "", decision: str = "approve", code: str = ""
) -> None:
    change = ChangeRequest.objects.get()
    digest = digest or bytes(change.digest).hex()
    options = [f"--by={by}", f"--digest={digest}", "--reason=I read it"]
    if not code and by != "nobody":
        person = User.objects.get(username=by)
        give_app(person)
        code = code_of(person)
    options.append(f"--code={code or '123456'}")
    call_command("resolve_unknown", "decide", str(change.pk), decision, *options)


def test_two_members_resolve_it(
    unknown: Payment, letter: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    propose(unknown, letter)
    change = ChangeRequest.objects.get()
    assert bytes(change.digest).hex() in capsys.readouterr().out
    decide()
    assert capsys.readouterr().out == "applied. The push is completed.\n"
    assert status_of(unknown) is Status.COMPLETED


def test_a_no_leaves_it_in_doubt(unknown: Payment, letter: Path) -> None:
    propose(unknown, letter, "not-paid")
    decide(decision="reject")
    assert status_of(unknown) is Status.UNKNOWN


@pytest.mark.parametrize("by", ["opal", "nobody", "vera"])
def test_it_takes_a_second_member_who_may(unknown: Payment, letter: Path, by: str) -> None:
    make_staff("vera", "viewer")
    propose(unknown, letter)
    with pytest.raises(CommandError):
        decide(by=by)
    assert status_of(unknown) is Status.UNKNOWN


def test_a_name_alone_is_nobody(unknown: Payment, letter: Path) -> None:
    propose(unknown, letter)
    with pytest.raises(CommandError, match="code"):
        decide(code=WRONG_CODE)
    assert status_of(unknown) is Status.UNKNOWN


def test_whoever_has_a_passkey_decides_where_it_can_sign(unknown: Payment, letter: Path) -> None:
    Passkey().add_to(User.objects.get(username="otto"))
    propose(unknown, letter)
    with pytest.raises(CommandError, match="not signed"):
        decide()
    assert status_of(unknown) is Status.UNKNOWN


@pytest.mark.parametrize("digest", ["00", "x"])
def test_a_wrong_digest_decides_nothing(unknown: Payment, letter: Path, digest: str) -> None:
    propose(unknown, letter)
    with pytest.raises(CommandError):
        decide(digest=digest)
    assert status_of(unknown) is Status.UNKNOWN


@pytest.mark.parametrize(
    "wrong", [{"evidence": "/nowhere"}, {"by": "vera"}, {"reason": " "}, {"verdict": "returned"}]
)
def test_a_wrong_word_proposes_nothing(
    unknown: Payment, letter: Path, wrong: dict[str, Any]
) -> None:
    make_staff("vera", "viewer")
    with pytest.raises(CommandError):
        propose(unknown, letter, **wrong)
    assert not ChangeRequest.objects.exists()
