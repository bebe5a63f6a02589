"""Sends what is due to a real sandbox network, in the test's own thread."""

import asyncio

from payouts.networks.base import Outcome, Push
from payouts.networks.sandbox.adapter import SandboxNetwork
from payouts.operations.record_outcome import record_outcome
from payouts.operations.send_payments import claim_due_payments
from tests.payouts.networks.cast import PATIENT
from tests.sandbox import SandboxServer


def send_all(sandbox: SandboxServer) -> None:
    """What the worker does, one call after the other."""

    async def send(pushes: list[Push]) -> list[Outcome]:
        network = SandboxNetwork(sandbox.address, patience=PATIENT)
        try:
            return [await network.push(push) for push in pushes]
        finally:
            await network.aclose()

    instructions = claim_due_payments(limit=100)
    outcomes = asyncio.run(send([instruction.push for instruction in instructions]))
    for instruction, outcome in zip(instructions, outcomes, strict=True):
        record_outcome(instruction.payment_id, outcome, send_number=instruction.send_number)
