"""Says what became of an unclear push, by two members of staff, without a browser."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from payouts.deciding.signatures import FreshFactor
from payouts.doubts import EvidenceRefused, Upload
from payouts.management.arguments import member_of_staff
from payouts.models import ChangeRequest, Payment
from payouts.models.changes import RESOLUTION, RETURN
from payouts.operations.change_kinds import NotAChange
from payouts.operations.changes import (
    ChangeDecisionRefused,
    ProposalNotPermitted,
    reject_change,
)
from payouts.operations.check_factor import WrongFactor, check_code
from payouts.operations.count_tries import LockedOut
from payouts.operations.resolve_unknown import Claim, propose_resolution, resolve_unknown
from payouts.states import Status

_VERDICTS = {"paid": Status.COMPLETED, "not-paid": Status.FAILED, "returned": Status.RETURNED}


class Command(BaseCommand):
    help = (
        "Propose what became of a push, with evidence; then let another member of staff decide. "
        "`propose` prints the id and the digest that `decide` asks for."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        one = steps.add_parser("propose", help="say what became of a push; no money moves")
        one.add_argument("payment", type=UUID, help="id of the push")
        one.add_argument("verdict", choices=sorted(_VERDICTS))
        one.add_argument("--evidence", type=Path, required=True, help="PDF, PNG, JPEG or text")
        two = steps.add_parser("decide", help="approve or reject what somebody else has proposed")
        two.add_argument("proposal", type=UUID, help="id that `propose` has printed")
        two.add_argument("decision", choices=["approve", "reject"])
        two.add_argument(
            "--code", required=True, help="the code of their app, or a recovery code; used up"
        )
        two.add_argument("--digest", required=True, help="digest that `propose` has printed")
        for parser_of_step in (one, two):
            parser_of_step.add_argument("--by", required=True, help="user name of who says it")
            parser_of_step.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        by = member_of_staff(options["by"])
        if not options["reason"].strip():
            raise CommandError("Say why, with --reason.")
        if options["step"] == "propose":
            self._propose(by, options)
        else:
            self._decide(by, options)

    def _propose(self, by: User, options: dict[str, Any]) -> None:
        path: Path = options["evidence"]
        try:
            evidence = Upload(path.name, path.read_bytes())
            claim = Claim(_VERDICTS[options["verdict"]], options["reason"], evidence)
            change = propose_resolution(options["payment"], claim, by=by)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except EvidenceRefused as refusal:
            raise CommandError(f"The evidence is not taken: {refusal.problem}.") from refusal
        except ProposalNotPermitted as refusal:
            raise CommandError(f"{by.get_username()} may not resolve pushes.") from refusal
        except Payment.DoesNotExist as missing:
            raise CommandError(f"There is no push {options['payment']}.") from missing
        except NotAChange as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"proposal {change.pk}\ndigest   {bytes(change.digest).hex()}")

    def _decide(self, by: User, options: dict[str, Any]) -> None:
        change_id = options["proposal"]
        if not ChangeRequest.objects.filter(pk=change_id, kind__in=[RESOLUTION, RETURN]).exists():
            raise CommandError(f"There is no resolution {change_id}.")
        act = resolve_unknown if options["decision"] == "approve" else reject_change
        try:
            digest = bytes.fromhex(options["digest"])
            proof = _shown(by, options["code"])
            change = act(change_id, by=by, digest=digest, reason=options["reason"], proof=proof)
        except ValueError as error:
            raise CommandError("The digest is not what `propose` has printed.") from error
        except (WrongFactor, LockedOut) as refusal:
            raise CommandError("The code is not right, or too many were wrong.") from refusal
        except ChangeDecisionRefused as refusal:
            raise CommandError(f"Refused: {refusal.bar.value.replace('_', ' ')}.") from refusal
        status = Payment.objects.values_list("status", flat=True).get(pk=change.subject)
        self.stdout.write(f"{change.state}. The push is {status}.")


def _shown(by: User, code: str) -> FreshFactor:
    """A name alone is nobody: whoever decides shows a second factor here too."""
    check_code(by, code=code)
    at = timezone.now()
    return FreshFactor(by.pk, shown_at=at, used_at=at)
