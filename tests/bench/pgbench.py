"""The database's own limit: pgbench executing the SQL of a create, with no product around it."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from config.embedded import program
from tests.bench.load import Sample
from tests.bench.product import Product

_RATE: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_MEAN: Final = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)
_DONE: Final = re.compile(r"^number of transactions actually processed: ([0-9]+)", re.MULTILINE)
_FAILED: Final = re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE)


def limit(script: Path, product: Product, *, clients: int, seconds: int) -> Sample:
    """Run the script over and over from so many clients, prepared and planned as by the product."""
    before = product.cpu()
    said = subprocess.run(
        [
            *(str(program("pgbench")), "--no-vacuum", "--protocol", "prepared"),
            *("--file", str(script), "--time", str(seconds)),
            *("--client", str(clients), "--jobs", "2", product.database_url),
        ],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PGOPTIONS": "-c plan_cache_mode=force_generic_plan"},
    ).stdout
    after = product.cpu()
    return Sample(
        per_second=_number(_RATE, said),
        mean_ms=_number(_MEAN, said),
        database_ms=(after.database - before.database) / _number(_DONE, said) * 1000,
        refused=int(_number(_FAILED, said)),
    )


def _number(pattern: re.Pattern[str], said: str) -> float:
    found = pattern.search(said)
    assert found is not None, said
    return float(found[1])
