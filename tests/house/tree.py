"""The repository as the rules of the house see it: files, syntax trees, names followed to their origin."""

import ast
import builtins
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "src/callsheet"
# Written by Alembic's template, read top to bottom once, never edited afterwards.
MIGRATIONS = "src/callsheet/store/migrations/versions/"


@dataclass(frozen=True, eq=False)
class Module:
    """One Python file, parsed when a rule looks into it. `path` is relative to the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Walked once for all rules: to walk takes as long as to parse."""
        return tuple(ast.walk(self.tree))


def planted(text: str, path: str = f"{PACKAGE}/core/planted.py") -> Module:
    """Return a module that is on no disk: a rule must be seen to bite."""
    return Module(path=path, text=text)


@cache
def modules(folder: str = PACKAGE) -> tuple[Module, ...]:
    """Return every module below a folder of the repository, migrations left out."""
    paths = sorted(path for path in (ROOT / folder).rglob("*.py") if MIGRATIONS not in path.as_posix())
    return tuple(planted(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()) for path in paths)


def modules_that_say(pattern: str, *folders: str) -> list[Module]:
    """Return the modules whose text has something like this in it: a rule about names need not look into the others."""
    said = re.compile(pattern)
    return [module for folder in folders or (PACKAGE,) for module in modules(folder) if said.search(module.text)]


def bound(module: Module) -> set[str]:
    """Return every name that the module gives to a thing of its own."""
    found = set()
    for node in module.nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
    return found


@cache
def origins(module: Module) -> Mapping[str, str]:
    """Return name -> dotted origin of whatever is imported, wherever the import stands, or built in."""
    found = {name: f"builtins.{name}" for name in vars(builtins).keys() - bound(module)}
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                found[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def dotted(node: ast.expr, names: Mapping[str, str]) -> str | None:
    """Return where a name or attribute comes from (`datetime.datetime.now`); nothing for a local thing."""
    match node:
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Attribute(value=value, attr=attr):
            inner = dotted(value, names)
            return f"{inner}.{attr}" if inner else None
        case _:
            return None


@cache
def references(module: Module) -> tuple[tuple[str, int], ...]:
    """Return every imported or built-in name that the module uses, followed to its origin, with its line."""
    return tuple(_references(module))


def _references(module: Module) -> Iterator[tuple[str, int]]:
    names = origins(module)
    for node in module.nodes:
        if isinstance(node, ast.Name | ast.Attribute):
            name = dotted(node, names)
            if name:
                yield name, node.lineno
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def unexcused(found: Mapping[str, str], excuses: Mapping[str, str]) -> list[str]:
    """Return what breaks a rule: finds without excuse, excuses without a reason or need."""
    wrong = [message for key, message in found.items() if key not in excuses]
    wrong += [f"{key}: an excuse needs a reason" for key, reason in excuses.items() if not reason.strip()]
    wrong += [f"{key}: this excuse is not needed any more" for key in excuses if key not in found]
    return sorted(wrong)


def page(path: str) -> str:
    """Return the text of a page of the repository."""
    return (ROOT / path).read_text("utf-8")


def first_column(path: str, pattern: str) -> list[str]:
    """Return the code-quoted names in the first column of a page's tables that match a pattern."""
    cells = re.findall(r"^\|\s*`([^`]+)`", page(path), flags=re.MULTILINE)
    return [cell for cell in cells if re.fullmatch(pattern, cell)]


def documents() -> list[Path]:
    """Return every page that people read: `docs/` and the papers at the root."""
    return sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])


@cache
def project() -> dict[str, object]:
    """Return `pyproject.toml`."""
    return tomllib.loads(page("pyproject.toml"))


def declared(kind: str) -> list[str]:
    """Return the requirements that `pyproject.toml` declares: `build`, `run` or `dev`."""
    about = project()
    match kind:
        case "build":
            return about["build-system"]["requires"]  # type: ignore[index]
        case "run":
            return about["project"]["dependencies"]  # type: ignore[index]
        case "dev":
            return about["project"]["optional-dependencies"]["dev"]  # type: ignore[index]
        case _:
            raise ValueError(kind)
