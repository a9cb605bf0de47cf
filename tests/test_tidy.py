"""The house style as a test: a rule of style that isn't executed drifts."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.chain import MODULES
from app.kernel.errors import Rejected
from app.kernel.module import Module

ROOT = Path(__file__).resolve().parents[1]
SKIPPED_FOLDERS = {".venv", "pb", "build", "node_modules", "__pycache__"}

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
PARAMETERS_MAX = 5
BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base"}
BANNED_NAMES |= {"handler", "handlers", "misc"}
LEFTOVER = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b")
SKIPS = ("skip", "skipif", "xfail", "importorskip")

PURE_IMPORTS = {"__future__", "bisect", "collections.abc", "contextlib", "dataclasses", "enum"}
PURE_IMPORTS |= {"functools", "hashlib", "itertools", "operator", "struct", "typing", "types"}
CRYPTO_IMPORTS = {("crypto.py", "coincurve"), ("crypto.py", "Crypto"), ("vrf.py", "nacl")}
CRYPTO_IMPORTS |= {("crypto.py", "nacl")}
PURE_PACKAGES = ("app.kernel", "app.learning", "app.modules", "app.upgrades")
IMPURE_CALLS = {"float", "complex", "round", "set", "frozenset", "hash", "id", "print", "input"}
IMPURE_CALLS |= {"open", "eval", "exec", "__import__", "globals"}
DECLARING_CALLS = {("frozen.py", "exec"), ("frozen.py", "hash")}
IMPURE_NODES: dict[type[ast.AST], str] = {
    ast.Set: "a set has no order: use a tuple or a dict",
    ast.SetComp: "a set has no order: use a tuple or a dict",
    ast.Div: "true division gives a float: use // or amounts.mul_div_floor",
    ast.Global: "state lives in tables, not in globals",
    ast.Assert: "python -O drops asserts: use require or broken",
    ast.AsyncFunctionDef: "a rule is never async",
    ast.Await: "a rule is never async",
    ast.AsyncFor: "a rule is never async",
    ast.AsyncWith: "a rule is never async",
}

CODES = {
    "bank": 100, "auth": 200, "bonds": 300, "reputation": 400, "jobs": 500, "payouts": 600,
    "rounds": 700, "fees": 800, "beacon": 900, "slashing": 1100,
    "disputes": 1200, "committees": 1300, "feegrant": 2000, "authz": 2100,
    "upgrade": 2200, "gov": 2400, "staking": 3000, "downtime": 3100, "distribution": 3200,
}  # fmt: skip
SECTIONS = (
    "Params", "records", "messages", "events", "rejections", "state", "lifecycle", "rules",
    "hooks", "queries", "invariants", "MODULE",
)  # fmt: skip
ANYWHERE = ""
BROAD_EXCEPTIONS = ("Exception", "BaseException")
# A broad except turns our own bug into one that fails what was run; only there, and only once.
BROAD_EXCEPT_ALLOWED = ("app/kernel/errors.py", "catch_faults")


def python_files(*folders: str) -> list[Path]:
    """Every Python file under these folders, generated ones left out."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(p for p in found if not SKIPPED_FOLDERS & set(p.relative_to(ROOT).parts))


ALL_FILES = python_files("app", "fl_worker", "scripts", "tests")
PURE_FILES = [
    *python_files("app/kernel", "app/learning", "app/modules", "app/upgrades"),
    ROOT / "app/chain.py",
]

Violation = tuple[int, str]
Check = Callable[[Path, ast.Module], Iterator[Violation]]


def expect_nothing(files: list[Path], check: Check) -> None:
    """Fail with what a check finds, as `path:line: sentence`."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {sentence}"
        for path in files
        for line, sentence in check(path, ast.parse(path.read_text()))
    ]
    assert not found, "\n".join(["", *found])


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function in a tree, nested ones and methods too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def find_impure_imports(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Imports outside the allow-list."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module == "math" and [alias.name for alias in node.names] == ["isqrt"]:
                continue
        else:
            continue
        for name in names:
            is_crypto = (path.name, name.partition(".")[0]) in CRYPTO_IMPORTS
            if not (name in PURE_IMPORTS or f"{name}.".startswith("app.") or is_crypto):
                yield node.lineno, f"pure code may not import {name}"


def find_impure_code(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Whatever could differ from one machine to the next."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield line, IMPURE_NODES[ast.Div]
        elif type(node) in IMPURE_NODES and not isinstance(node, ast.Div):
            yield line, IMPURE_NODES[type(node)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield line, f"{node.value} is a float: use an integer of a smaller unit"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            is_declaring = (path.name, node.func.id) in DECLARING_CALLS
            if node.func.id in IMPURE_CALLS and not is_declaring:
                yield line, f"{node.func.id}() is not for pure code"
        elif isinstance(node, ast.BinOp) and any(map(is_key_view, (node.left, node.right))):
            yield line, "an operator on a view of keys makes a set, which has no order"


def is_key_view(node: ast.expr) -> bool:
    """Whether an expression is `something.keys()` or `.items()`."""
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_call and node.func.attr in ("keys", "items")  # type: ignore[attr-defined]


def find_broad_excepts(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """`except:`, `except Exception` and wider, outside their one place."""
    allowed: set[ast.AST] = set()
    if path == ROOT / BROAD_EXCEPT_ALLOWED[0]:
        for function in functions(tree):
            if function.name == BROAD_EXCEPT_ALLOWED[1]:
                allowed |= set(ast.walk(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node not in allowed:
            types = ast.walk(node.type) if node.type else [ast.Name("Exception")]
            if any(isinstance(t, ast.Name) and t.id in BROAD_EXCEPTIONS for t in types):
                yield node.lineno, "a broad except hides a bug: name what you expect"


def find_long_functions(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Functions over the limit of lines."""
    for function in functions(tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES_MAX:
            yield (
                function.lineno,
                f"{function.name} has {length} lines, {FUNCTION_LINES_MAX} at most",
            )


def find_wide_functions(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Functions with too many positional parameters."""
    for function in functions(tree):
        names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        count = len([name for name in names if name not in ("self", "cls")])
        if count > PARAMETERS_MAX:
            yield function.lineno, f"{function.name} takes {count}, {PARAMETERS_MAX} at most"


def find_skipped_tests(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Tests that don't run."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in SKIPS:
            yield node.lineno, f"{node.attr}: a test runs or goes"


def find_leftovers(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Notes to oneself."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if LEFTOVER.search(line):
            yield number, "do it, or write it down as a decision"


def find_long_files(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Files over the limit of lines."""
    count = len(path.read_text().splitlines())
    if count > FILE_LINES_MAX:
        yield 1, f"{count} lines, {FILE_LINES_MAX} at most: cut it by subject"


def find_banned_names(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Files and folders named after nothing."""
    for part in path.relative_to(ROOT).with_suffix("").parts:
        if part.lower().split("_")[-1] in BANNED_NAMES:
            yield 1, f"`{part}` says nothing: name the file after its subject"


@pytest.mark.parametrize(
    "check", [find_impure_imports, find_impure_code, find_broad_excepts], ids=lambda c: c.__name__
)
def test_pure_code_computes_the_same_everywhere(check: Check) -> None:
    expect_nothing(PURE_FILES, check)


@pytest.mark.parametrize(
    "check",
    [
        find_long_functions,
        find_wide_functions,
        find_skipped_tests,
        find_leftovers,
        find_long_files,
        find_banned_names,
    ],
    ids=lambda c: c.__name__,
)
def test_every_file_keeps_the_house_rules(check: Check) -> None:
    expect_nothing(ALL_FILES, check)


def snake_case(name: str) -> str:
    """`PostJob` as `post_job`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def module_files(module: Module) -> list[Path]:
    """The one file of a module, or those of its folder."""
    path = ROOT / "app" / "modules" / module.name
    return sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def name_sections(module: Module) -> dict[str, str]:
    """The section to which each name that a module declares belongs."""
    sections = {rejection.__name__: "rejections" for rejection in rejections()}
    for kind, message in module.messages.items():
        sections |= {kind.__name__: "messages", message.rule.__name__: "rules"}
        if message.response:
            sections[message.response.__name__] = "messages"
    sections |= {event.__name__: "events" for event in module.events}
    for request, query in module.queries.items():  # their records may stand with the others
        sections |= {request.__name__: ANYWHERE, query.response.__name__: ANYWHERE}
        sections[query.function.__name__] = "queries"
    hooks = [hook for hook in (module.begin_block, module.end_block) if hook]
    sections |= {hook.__name__: "hooks" for hook in hooks}
    sections |= {invariant.__name__: "invariants" for invariant in module.invariants}
    return sections | {"Params": "Params", "NEXT_PHASES": "lifecycle", "MODULE": "MODULE"}


def section_of(node: ast.stmt, sections: dict[str, str]) -> str:
    """The section of a top-level statement."""
    if isinstance(node, ast.ClassDef):
        return sections.get(node.name, "records")
    if isinstance(node, ast.FunctionDef):
        return sections.get(node.name, ANYWHERE)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        call = node.value.func if isinstance(node.value, ast.Call) else None
        if isinstance(call, ast.Name) and call.id in ("Table", "Index", "Singleton"):
            return "state"
        return sections.get(node.targets[0].id, ANYWHERE)
    return ANYWHERE


def rejections() -> list[type[Rejected]]:
    """Every rejection there is."""
    found: list[type[Rejected]] = []
    waiting = list(Rejected.__subclasses__())
    while waiting:
        found.append(rejection := waiting.pop())
        waiting += rejection.__subclasses__()
    return sorted(found, key=lambda rejection: (rejection.__module__, rejection.code))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_module_file_keeps_the_order_of_sections(module: Module) -> None:
    sections = name_sections(module)

    def check(path: Path, tree: ast.Module) -> Iterator[Violation]:
        if not ast.get_docstring(tree):
            yield 1, "the docstring of a module file is its specification"
        last = SECTIONS[0]
        for node in tree.body:
            section = section_of(node, sections)
            if section == ANYWHERE:
                continue
            if SECTIONS.index(section) < SECTIONS.index(last):
                yield node.lineno, f"{section} stand before {last}"
            last = max(section, last, key=SECTIONS.index)

    expect_nothing(module_files(module), check)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_rule_is_named_after_its_message_and_has_a_test(module: Module) -> None:
    for message, entry in module.messages.items():
        assert entry.rule.__name__ == snake_case(message.__name__)
        assert (ROOT / f"tests/rules/test_{entry.rule.__name__}.py").exists()


def test_a_code_is_used_once_and_lies_in_the_hundred_of_its_module() -> None:
    taken: dict[int, str] = {}
    for rejection in rejections():
        name = f"{rejection.__module__}.{rejection.__qualname__}"
        assert rejection.code not in taken, f"{name} and {taken[rejection.code]}"
        taken[rejection.code] = name
        module = rejection.__module__.removeprefix("app.modules.").split(".")[0]
        assert rejection.code - rejection.code % 100 == CODES[module], name


@pytest.mark.parametrize("script", ["gen_proto.py", "gen_docs.py"])
def test_generated_files_are_untouched(script: str) -> None:
    command = [sys.executable, str(ROOT / "scripts" / script), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
