"""Who signs in."""

import pytest
from django.contrib.auth.models import User

from tests.staff_factors import give_app, make_member


@pytest.fixture
def grace() -> User:
    """A member of staff with a password and an authenticator app."""
    member = make_member()
    give_app(member)
    return member
