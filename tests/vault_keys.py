"""Keys of the vault for tests that rotate them."""

import base64
from collections.abc import Sequence
from typing import Any


def keys(*ids: str) -> str:
    """Keys as the settings hold them; the id makes the key."""
    made = (base64.b64encode(key_id.encode().ljust(32, b".")).decode() for key_id in ids)
    return ",".join(f"{key_id}:{key}" for key_id, key in zip(ids, made, strict=True))


def use_keys(settings: Any, *keks: str, fingerprints: Sequence[str] = ("fp1",)) -> None:
    """Let every process have these keys, the current ones first."""
    settings.CARD_ENCRYPTION_KEYS = keys(*keks)
    settings.CARD_FINGERPRINT_KEYS = keys(*fingerprints)
