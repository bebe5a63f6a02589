"""The style of the house as a test: who imports whom, what is written where, how long things are.

Reads the source as text and as a syntax tree. The rules' reasons are in docs/architecture.md.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import PROTECT, ForeignKey

from payouts.states import Status
from tests.source_trees import (
    APPS,
    ROOT,
    Source,
    _trees_are_let_go,  # noqa: F401  # a fixture
    calls,
    functions,
    imports,
    is_within,
    product,
    sources,
    strings,
    wrong,
)

LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONGEST_TEST_FILE = 600
MOST_POSITIONAL = 2

WEB = ("rest_framework", "django.http", "django.shortcuts", "django.views", "django.forms")
SCREENS = (
    "django.contrib.admin",
    *("consumers.api", "consumers.admin"),
    *("payouts.api", "payouts.admin", "payouts.backoffice", "payouts.management"),
)
FRAMEWORKS = ("django", "rest_framework", "celery", "httpx")

_PURE_OF_PAYOUTS = (
    "states", "money", "limits", "fees", "approvals", "changes", "declines",
    "actors",
)  # fmt: skip
# Plain Python: what is true whatever the framework.
PURE = (
    "consumers/cards.py",
    "consumers/typed_numbers.py",
    "payouts/batch_files",
    "payouts/reconciliation/settlement_files",
    "payouts/reconciliation/settlements.py",
    "payouts/reconciliation/statement_files",
    "payouts/reconciliation/bank_statements.py",
    "payouts/reconciliation/day_proofs.py",
    *(f"payouts/{name}.py" for name in _PURE_OF_PAYOUTS),
    "payouts/networks/base.py",
    *(f"payouts/webhooks/{name}.py" for name in ("addresses", "schedule", "signing")),
    *(
        f"payouts/networks/sandbox/{name}.py"
        for name in (
            *("behaviour", "answers", "arrivals", "reading", "entries"),
            *("settlement", "planting", "statement"),
        )
    ),
)

# A room (a file or a folder) and what may not be imported in it.
CLOSED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(PURE, FRAMEWORKS),
    "consumers": ("payouts", "config"),
    "payouts": ("config",),
    "consumers/operations": (*WEB, *SCREENS, "celery", "httpx"),
    "payouts/operations": (
        *WEB,
        *SCREENS,
        "celery",
        "httpx",
        "payouts.work",
        "payouts.tasks",
    ),
    "consumers/models": (*WEB, *SCREENS, "celery", "consumers.operations"),
    "payouts/models": (*WEB, *SCREENS, "celery", "payouts.operations", "payouts.queries"),
    "payouts/queries.py": (*WEB, *SCREENS, "celery", "payouts.operations"),
    "payouts/networks": (*WEB, *SCREENS, "celery", "payouts.operations", "payouts.models"),
    "payouts/dispatch.py": ("payouts.operations", "payouts.models", "payouts.tasks"),
    "payouts/work/batch_work.py": (*WEB, *SCREENS, "celery", "payouts.models"),
    "payouts/work/settlement_work.py": (*WEB, *SCREENS, "celery"),
    "payouts/work/statement_work.py": (*WEB, *SCREENS, "celery"),
    "payouts/work/drain.py": (*WEB, *SCREENS, "celery", "payouts.models"),
    "payouts/webhooks/deliver.py": (*WEB, *SCREENS, "celery", "payouts.models"),
}

# A library, and the only rooms in which it may be imported.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "httpx": ("payouts/networks", "payouts/webhooks", "config/demo", "config/management"),
    "httpcore": ("payouts/webhooks",),
    "celery": ("config", "payouts/work/alone.py", "payouts/dispatch.py", "payouts/tasks.py"),
    "django.db.models.signals": (),
    # Signing in says what it does by signals only.
    "django.dispatch": ("consumers/audit/sign_ins.py",),
}

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


# Who may import whom


def test_every_room_that_has_a_rule_is_there() -> None:
    rooms = {*CLOSED, *(room for rooms in ONLY_IN.values() for room in rooms)}
    assert {room for room in rooms if not (ROOT / room).exists()} == set()


@pytest.mark.parametrize("room", CLOSED)
def test_imports_point_inward(room: str) -> None:
    forbidden = CLOSED[room]
    found = {
        f"{source.at(node)} imports {module}"
        for source in product()
        if source.is_in(room)
        for module, node in imports(source)
        if any(is_within(module, package) for package in forbidden)
    }
    assert found == set()


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_in_its_rooms(library: str) -> None:
    found = {
        source.at(node)
        for source in product()
        if not any(source.is_in(room) for room in ONLY_IN[library])
        for module, node in imports(source)
        if is_within(module, library)
    }
    assert found == set()


def test_only_dispatch_sends_messages() -> None:
    def found(source: Source) -> Iterator[ast.AST]:
        for call in calls(source):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if name in {"delay", "apply_async", "send_task"}:
                yield call

    among = [source for source in product() if not source.is_in("payouts/dispatch.py")]
    assert wrong(found, among=among) == []


# Where things are written

_SETS_STATUS = re.compile(r"UPDATE\s+payouts_payment\b(?:(?!WHERE).)*\bstatus\s*=", re.DOTALL)
_INSERTS = re.compile(r"INSERT\s+INTO\s+payouts_(payment|journal|posting|event)\b")


def test_only_the_transition_changes_a_status() -> None:
    def found(source: Source) -> Iterator[ast.AST]:
        yield from (one for one in strings(source) if _SETS_STATUS.search(str(one.value)))
        for call in calls(source):
            if _is_update_of_payments(call) or _is_creation_of_payment(call):
                yield call

    among = [source for source in product() if not source.is_in("payouts/operations/transition.py")]
    assert wrong(found, among=among) == []


def test_only_three_rooms_write_money() -> None:
    """The transition writes events, the ledger journals; seeding fills tables and says so."""
    rooms = ("payouts/operations/transition.py", "payouts/operations/ledger.py", "payouts/seeding")

    def found(source: Source) -> Iterator[ast.AST]:
        yield from (one for one in strings(source) if _INSERTS.search(str(one.value)))

    among = [one for one in product() if not any(one.is_in(room) for room in rooms)]
    assert wrong(found, among=among) == []


def _is_update_of_payments(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "update"
        and any(keyword.arg == "status" for keyword in call.keywords)
        and any(isinstance(n, ast.Name) and n.id == "Payment" for n in ast.walk(call.func))
    )


def _is_creation_of_payment(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "Payment"
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in {"create", "bulk_create", "get_or_create", "update_or_create"}
        and ast.unparse(call.func.value) == "Payment.objects"
    )


def test_interfaces_compare_no_status_strings() -> None:
    statuses = {status.value for status in Status}
    rooms = ("payouts/api", "payouts/admin", "payouts/backoffice", "payouts/management")

    def found(source: Source) -> Iterator[ast.AST]:
        for node in source.nodes():
            if isinstance(node, ast.Compare) and any(
                isinstance(side, ast.Constant) and side.value in statuses
                for side in [node.left, *node.comparators]
            ):
                yield node

    assert wrong(found, among=[s for s in product() if any(s.is_in(room) for room in rooms)]) == []


# What a row is, a page asks of a property; its words come from one place.
_STATE_IN_TEMPLATE = re.compile(
    r"\{%\s*(?:if|elif)\b[^%]*(?:state|status|result|verdict)\s*(?:==|!=|in)\s*['\"]"
)


def test_templates_compare_no_states() -> None:
    pages = sorted((ROOT / "templates").rglob("*.html"))
    assert pages
    found = [
        f"{page.relative_to(ROOT)}:{number}"
        for page in pages
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if _STATE_IN_TEMPLATE.search(line)
    ]
    assert found == []


def test_money_is_never_a_float() -> None:
    def found(source: Source) -> Iterator[ast.AST]:
        for call in calls(source):
            if isinstance(call.func, ast.Name) and call.func.id == "float":
                yield call

    assert wrong(found, among=[*sources("consumers"), *sources("payouts")]) == []


def test_money_rows_are_protected() -> None:
    unprotected = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("payouts").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.remote_field.on_delete is not PROTECT
    ]
    assert unprotected == []


# How operations are

OPERATIONS = ("consumers/operations", "payouts/operations")


def operations() -> list[Source]:
    return [source for source in product() if any(source.is_in(room) for room in OPERATIONS)]


def public_operations(source: Source) -> Iterator[ast.FunctionDef]:
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def test_an_operation_says_what_a_caller_may_rely_on() -> None:
    def found(source: Source) -> Iterator[ast.AST]:
        return (one for one in public_operations(source) if not ast.get_docstring(one))

    assert wrong(found, among=operations()) == []


def test_an_operation_takes_its_subject_first_and_the_rest_by_name() -> None:
    def found(source: Source) -> Iterator[ast.AST]:
        for one in public_operations(source):
            if len(one.args.posonlyargs) + len(one.args.args) > MOST_POSITIONAL:
                yield one

    assert wrong(found, among=operations()) == []


def test_nothing_that_works_swallows_an_error_that_it_does_not_know() -> None:
    def found(source: Source) -> Iterator[ast.AST]:
        for node in source.nodes():
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
            ):
                yield node

    among = [*operations(), *(one for one in product() if one.is_in("payouts/work"))]
    assert wrong(found, among=among) == []


def test_an_operation_waits_for_no_network() -> None:
    def found(source: Source) -> Iterator[ast.AST]:
        waits = ast.Await | ast.AsyncFunctionDef | ast.AsyncWith | ast.AsyncFor
        return (node for node in source.nodes() if isinstance(node, waits))

    assert wrong(found, among=operations()) == []


# How long and how named


@pytest.mark.parametrize("folder", [*APPS, "tests"])
def test_functions_fit_on_a_screen(folder: str) -> None:
    def found(source: Source) -> Iterator[ast.AST]:
        for one in functions(source):
            if (one.end_lineno or 0) - one.lineno >= LONGEST_FUNCTION:
                yield one

    assert wrong(found, among=list(sources(folder))) == []


@pytest.mark.parametrize("folder", [*APPS, "tests"])
def test_files_are_split_in_time(folder: str) -> None:
    most = LONGEST_TEST_FILE if folder == "tests" else LONGEST_FILE
    lengths = {source.name: source.text.count("\n") for source in sources(folder)}
    assert {name: lines for name, lines in lengths.items() if lines > most} == {}


def test_files_are_named_for_what_is_in_them() -> None:
    everything = [*product(), *sources("tests")]
    assert [one.name for one in everything if Path(one.name).stem in VAGUE_NAMES] == []


@pytest.mark.parametrize("folder", APPS)
def test_a_file_says_what_its_room_is_for(folder: str) -> None:
    silent = [
        source.name
        for source in sources(folder)
        if source.tree.body
        and not ast.get_docstring(source.tree)
        # Django asks for this one; there is nothing to say about it.
        and Path(source.name).name != "apps.py"
    ]
    assert silent == []
