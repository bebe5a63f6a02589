"""Who brings batches."""

import pytest
from django.contrib.auth.models import User

from tests.pushes import make_staff


@pytest.fixture
def mia() -> User:
    return make_staff("mia", "maker")
