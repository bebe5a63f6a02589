"""Turns words of the command line into what operations take; a wrong word ends the command."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from consumers.models import Partner
from payouts.money import CENT
from payouts.operations.partners import LARGEST_FUNDING


def partner_named(word: str) -> Partner:
    """The partner with this id or name.

    :raises CommandError: there is none.
    """
    partner_id = _uuid_or_none(word)
    partner = None
    if partner_id is not None:
        partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None and _is_text(word):
        partner = Partner.objects.filter(name=word).first()
    if partner is None:
        raise CommandError(f"There is no partner with the name or id {word!r}.")
    return partner


def member_of_staff(username: str) -> User:
    """The active member of staff with this user name.

    :raises CommandError: there is none.
    """
    member = User.objects.filter(username=username, is_active=True, is_staff=True).first()
    if member is None:
        raise CommandError(f"There is no active member of staff named {username!r}.")
    return member


def partner_name(word: str) -> str:
    """A name that a partner can have, without blanks around it.

    :raises CommandError: naming everything that is wrong with it.
    """
    name = word.strip()
    problems = [] if _is_text(name) else ["It holds characters that cannot be printed."]
    try:
        Partner(name=name).clean_fields(exclude={"id"})
    except ValidationError as error:
        problems += [message for messages in error.message_dict.values() for message in messages]
    if problems:
        raise CommandError("\n".join([f"{word!r} cannot be a partner's name.", *problems]))
    return name


def funding_amount(word: str) -> Decimal:
    """An amount of dollars above zero, with at most two decimals.

    :raises CommandError: naming everything that is wrong with it.
    """
    problems = _problems_with_amount(word)
    if problems:
        raise CommandError("\n".join([f"{word!r} is not an amount to fund with.", *problems]))
    return Decimal(word).quantize(CENT)


def _problems_with_amount(word: str) -> list[str]:
    try:
        # Decimal also takes `1_000` and the digits of other scripts, which nobody writes on
        # purpose.
        amount = Decimal(word if word.isascii() and "_" not in word else "")
    except InvalidOperation:
        return ["It must be a number of US dollars, as in 2500.00."]
    if not amount.is_finite():
        return ["It must be a finite number."]
    problems = []
    if amount <= 0:
        problems.append("It must be more than 0.")
    if amount > LARGEST_FUNDING:
        problems.append(f"It must be at most {LARGEST_FUNDING}.")
    if _decimals(amount) > _decimals(CENT):
        problems.append("It must have at most two decimals.")
    return problems


def _decimals(amount: Decimal) -> int:
    """How many decimals the number needs; the zeros at its end do not count."""
    _, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits))
    return max(0, -exponent - (len(written) - len(written.rstrip("0")))) if amount else 0


def _is_text(word: str) -> bool:
    # NUL and what is no UTF-8 would be refused by the database, with a traceback.
    return word.isprintable()


def _uuid_or_none(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None
