"""The standard's own verifier for JavaScript accepts what we sign, and refuses what is tampered."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone

from payouts.webhooks.signing import new_secret, signature_headers
from tests.faults.conftest import Tell

pytestmark = pytest.mark.faults

PACKAGE = "standardwebhooks"
BODY = b'{"type":"payment.oct.completed","data":{"amount":"100.00","note":"\xc3\xa9\xe2\x82\xac"}}'

# Reads cases from standard input; answers which of them were accepted.
SCRIPT = """
const { Webhook } = require("standardwebhooks");
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(({ secret, body, headers }) => {
  try { new Webhook(secret).verify(Buffer.from(body, "base64"), headers); return true; }
  catch (problem) { return false; }
})));
"""


def test_the_javascript_verifier_agrees(tmp_path: Path, tell: Tell) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    installed = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", PACKAGE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not installed.returncode, f"npm cannot install {PACKAGE}: {installed.stderr[-200:]}"
    secrets = [new_secret(), new_secret()]
    headers = signature_headers("msg_1", BODY, keys=tuple(secrets), at=timezone.now())
    sent = {name: headers[name] for name in headers if name.startswith("webhook-")}
    later = str(int(sent["webhook-timestamp"]) + 1)
    good = [(secret, BODY, sent) for secret in secrets]
    bad = [
        (new_secret(), BODY, sent),
        (secrets[0], BODY.replace(b"100.00", b"900.00"), sent),
        (secrets[0], BODY + b" ", sent),
        (secrets[0], BODY, {**sent, "webhook-id": "msg_2"}),
        (secrets[0], BODY, {**sent, "webhook-timestamp": later}),
        (secrets[0], BODY, {**sent, "webhook-signature": sent["webhook-signature"][:20]}),
    ]
    accepted = _verified(tmp_path, [*good, *bad])
    assert accepted == [True] * len(good) + [False] * len(bad)
    version = json.loads((tmp_path / "node_modules" / PACKAGE / "package.json").read_text())
    tell(
        f"npm {PACKAGE} {version['version']}: {len(good)} signed (old and new secret) accepted, "
        f"{len(bad)} tampered refused"
    )


def _verified(folder: Path, cases: list[tuple[str, bytes, dict[str, str]]]) -> list[bool]:
    told = [
        {"secret": secret, "body": base64.b64encode(body).decode(), "headers": headers}
        for secret, body, headers in cases
    ]
    done = subprocess.run(
        ["node", "-e", SCRIPT],
        cwd=folder,
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers: list[bool] = json.loads(done.stdout)
    return answers
