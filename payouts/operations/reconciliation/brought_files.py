"""What bringing any file from outside has in common. What is in it is no business of this room."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Generic, NamedTuple, TypeVar

from django.contrib.auth.models import User

from consumers.audit import Act, Subject, Verb
from payouts.models import BroughtFile, FileState
from payouts.staff import RESOLVE_PAYMENT

LONGEST_NAME: Final = 200

File = TypeVar("File", bound=BroughtFile)


class BringingNotPermitted(Exception):
    """This person may not bring files."""


# No slots: the digest of a large file is reckoned once and kept.
@dataclass(frozen=True)
class FileUpload:
    """A file as it came. `by` is whoever brought it; None if it came from its maker itself."""

    name: str
    content: bytes
    by: User | None = None

    @cached_property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content).digest()


class Taken(NamedTuple, Generic[File]):
    """The file, and whether it is here for the first time."""

    file: File
    is_new: bool


def same_file(upload: FileUpload, model: type[File]) -> File | None:
    """The file with these very bytes that counts, if there is one."""
    kept = model._default_manager.exclude(state=FileState.REFUSED)
    return kept.filter(sha256=upload.sha256).first()


def may_bring(by: User | None) -> bool:
    """Whether this person may bring files; None is no person, and may."""
    return by is None or (by.is_active and by.has_perm(RESOLVE_PAYMENT))


def upload_act(upload: FileUpload, model: type[BroughtFile]) -> Act:
    """What the audit trail says of bringing it, taken or not."""
    subject = Subject(model._meta.label_lower, label=str(model._meta.verbose_name))
    told = {
        "file": upload.name, "sha256": upload.sha256.hex(), "bytes": len(upload.content),
    }  # fmt: skip
    return Act(verb=Verb.UPLOAD, subject=subject, after=told)
