"""Reads the repository's Python as text and as syntax trees, for tests about its form."""

import ast
import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("config", "consumers", "payouts")


@dataclass(frozen=True)
class Source:
    """One file of Python; `name` is its path from the root of the repository."""

    name: str
    text: str
    tree: ast.Module

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)

    def is_in(self, room: str) -> bool:
        return self.name == room or self.name.startswith(f"{room}/")

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 0)}"


@cache
def sources(folder: str) -> tuple[Source, ...]:
    paths = sorted((ROOT / folder).rglob("*.py"))
    return tuple(_source(path) for path in paths if "migrations" not in path.parts)


def _source(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(path.relative_to(ROOT).as_posix(), text, ast.parse(text))


def product() -> list[Source]:
    return [source for app in APPS for source in sources(app)]


def imports(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Every module that the file imports, also inside functions."""
    for node in source.nodes():
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in source.nodes():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in source.nodes() if isinstance(node, ast.Call))


def strings(source: Source) -> Iterator[ast.Constant]:
    for node in source.nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


def wrong(found: Callable[[Source], Iterator[ast.AST]], *, among: list[Source]) -> list[str]:
    return sorted({source.at(node) for source in among for node in found(source)})


@pytest.fixture(scope="module", autouse=True)
def _trees_are_let_go() -> Iterator[None]:
    """Millions of nodes, which the collector would go through again and again, for nothing."""
    gc.disable()
    yield
    sources.cache_clear()
    gc.enable()
