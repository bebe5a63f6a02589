"""Passwords are hashed often here, and how is Django's affair: quickly."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _quick_hashing(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
