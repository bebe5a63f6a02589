"""Card numbers for tests: the published test numbers, and strategies for made-up plausible ones."""

from hypothesis import strategies as st

from consumers.cards import NUMBER_LENGTHS, PREFIX_RANGES, PrefixRange, passes_luhn

VISA = "4111111111111111"
VISA_DEBIT = "4000056655665556"
MASTERCARD = "5555555555554444"
MASTERCARD_2_SERIES = "2223003122003222"
AMEX = "378282246310005"
DISCOVER = "6011111111111117"
JCB = "3530111333300000"
DINERS = "30569309025904"
UNIONPAY = "6200000000000005"
MAESTRO = "6759649826438453"
UNIONPAY_19 = "6205500000000000004"

ALL_NETWORKS = (
    VISA,
    VISA_DEBIT,
    MASTERCARD,
    MASTERCARD_2_SERIES,
    AMEX,
    DISCOVER,
    JCB,
    DINERS,
    UNIONPAY,
    UNIONPAY_19,
    MAESTRO,
)


def with_check_digit(digits: str) -> str:
    """Append the one digit that makes the whole pass Luhn."""
    return next(digits + last for last in "0123456789" if passes_luhn(digits + last))


@st.composite
def numbers_in(draw: st.DrawFn, prefix_range: PrefixRange) -> str:
    """A plausible number of one range of prefixes, of any length its network issues."""
    low, high, network = prefix_range
    prefix = str(draw(st.integers(int(low), int(high))))
    length = draw(st.sampled_from(sorted(NUMBER_LENGTHS[network])))
    missing = length - len(prefix) - 1
    return with_check_digit(
        prefix + draw(st.text("0123456789", min_size=missing, max_size=missing))
    )


def plausible_numbers() -> st.SearchStrategy[str]:
    """A plausible number of any network."""
    return st.sampled_from(PREFIX_RANGES).flatmap(numbers_in)
