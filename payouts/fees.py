"""What a push costs the partner. Plain Python, no Django."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from payouts.money import CENT, ZERO

BASIS_POINTS_PER_ONE: Final = 10_000


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """A fixed part plus a share of the amount, kept between a minimum and a maximum (dollars)."""

    fixed: Decimal = ZERO
    basis_points: int = 0
    minimum: Decimal = ZERO
    maximum: Decimal | None = None


FREE: Final = FeeSchedule()


def fee_for(amount: Decimal, *, schedule: FeeSchedule) -> Decimal:
    """Return the fee in dollars for pushing `amount` dollars, rounded half up to the cent."""
    share = amount * schedule.basis_points / BASIS_POINTS_PER_ONE
    fee = max(schedule.fixed + share, schedule.minimum)
    if schedule.maximum is not None:
        fee = min(fee, schedule.maximum)
    return fee.quantize(CENT, rounding=ROUND_HALF_UP)
