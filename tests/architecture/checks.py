"""The house rules that an import graph cannot see, each a function from one module's source to the faults in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGE = REPOSITORY / "src" / "anban"

# The one table of heavy engines that may be imported where they are used.
HEAVY_ENGINES = frozenset(
    {
        "duckdb", "pyarrow", "sklearn", "pyspark", "typst", "mpmath", "adbc_driver_postgresql",
        "sqlglot", "scipy",
    }
)  # fmt: skip
# Names that say nothing: a function without a home is a function whose name is not yet understood.
NO_NAMES = frozenset({"utils", "helpers", "common", "core", "misc", "services", "managers"})
# Contexts from the bottom to the top; a table may name a table of its own floor or below.
ORDER = (
    "people", "journal", "files", "jobs", "notices",
    "catalog", "territory", "establishments", "obligations", "responsibility", "hazards",
    "inspections", "selfchecks", "tickets", "monitoring", "duty", "enforcement",
    "accidents", "pipelines", "chemicals", "credit", "risk", "oversight", "campaigns", "disclosure",
)  # fmt: skip
# Operations that write and record nothing in the journal, each with its reason.
UNRECORDED = {
    ("base/journal/operations.py", "record"): "is the recording",
    ("base/journal/operations.py", "record_many"): "is the recording",
    ("base/journal/operations.py", "commitment"): "pure: a digest",
    ("base/journal/operations.py", "unit"): "is the transaction that records",
    ("base/journal/operations.py", "advance"): "a reader's place is not a fact of the city",
    (
        "contexts/territory/operations.py",
        "next_numbers",
    ): "numbers may have gaps; the entry of what is numbered names it",
    ("contexts/hazards/operations.py", "refresh_due"): "duties.refresh records through obligations.move_due",
    ("contexts/hazards/operations.py", "tally"): "a roll-up is derived from the ledger and made again at any time",
    ("base/people/operations.py", "note_access"): "reads of personal data are logged apart from the journal",
    ("base/notices/operations.py", "tell"): "the entry of what is told stands in the caller's unit",
    ("base/notices/operations.py", "tell_all"): "as tell",
    ("base/notices/operations.py", "mark_read"): "a reader's own bookmark is not a fact of the city",
}
RELATIONS = frozenset({"ForeignKey", "OneToOneField", "ManyToManyField"})
WRITERS = frozenset({"add", "add_all", "change", "move"})
"""The functions of ``births`` that write rows."""
WRITES = frozenset({"save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "delete"})
# Framework moments, not events of the city: guards are made again after a migrate, connections are set up.
FRAMEWORK_SIGNALS = frozenset({"post_migrate", "connection_created"})
PERSONAL = re.compile(
    r"(^|_)(phone|tel|telephone|mobile|email|id_no|id_number|id_card|birth|birthday|birth_on|wechat|home_address|caller)(_|$)"
    r"|^(person|contact|caller|reporter|owner|manager|tenant|witness|finder|visitor|signer|representative)_name$"
)
PERSONAL_CLASS = re.compile(r"Person|Contact|Caller|Reporter|Witness|Visitor")


@dataclass(frozen=True)
class Module:
    """One module of the package: its path from the package's folder, and its syntax tree."""

    path: str
    source: str
    tree: ast.Module = field(repr=False)

    @classmethod
    def of(cls, path: str, source: str) -> Module:
        """Parse a module."""
        return cls(path, source, ast.parse(source))

    @property
    def parts(self) -> tuple[str, ...]:
        """Folder names and the stem."""
        return (*PurePosixPath(self.path).parent.parts, PurePosixPath(self.path).stem)

    def is_room(self, name: str) -> bool:
        """Whether this module is, or lies in a package named, ``name``."""
        return name in self.parts


@dataclass
class Seen:
    """How many things of its kind a check has looked at: a check that saw nothing has shown nothing."""

    count: int = 0


Check = Callable[[Module, Seen], list[str]]


def modules() -> list[Module]:
    """Read every module of the package except migrations, which are written by machine."""
    return [
        Module.of(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "migrations" not in path.parts
    ]


def _imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import below a node, as a dotted name; `from a import b` gives `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node, f"{'.' * node.level}{node.module or ''}.{alias.name}"


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports_inside_functions(module: Module, seen: Seen) -> list[str]:
    """No import inside a function, except of a heavy engine; loading by name is the command line's alone."""
    faults = []
    for function in _functions(module.tree):
        seen.count += 1
        for node, name in _imports(function):
            if name.lstrip(".").split(".")[0] not in HEAVY_ENGINES:
                faults.append(f"{module.path}:{node.lineno}: import of {name} inside {function.name}")
    if not module.path.startswith("config/"):
        faults += [
            f"{module.path}:{node.lineno}: {_called(node)} loads a module by name"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}
        ]
    return faults


def upward_by_name(module: Module, seen: Seen) -> list[str]:
    """No foreign key named by string that points upward, and no get_model."""
    faults = []
    own = next((ORDER.index(part) for part in module.parts if part in ORDER), None)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = _called(node)
        if name == "get_model":
            faults.append(f"{module.path}:{node.lineno}: get_model reaches past the floors")
        if name not in RELATIONS:
            continue
        seen.count += 1
        target = next((keyword.value for keyword in node.keywords if keyword.arg == "to"), None)
        target = target or (node.args[0] if node.args else None)
        if not isinstance(target, ast.Constant) or not isinstance(target.value, str) or "." not in target.value:
            continue
        label = target.value.split(".")[0]
        if label in ORDER and own is not None and ORDER.index(label) > own:
            faults.append(f"{module.path}:{node.lineno}: a foreign key to {target.value} points upward")
    return faults


def signals(module: Module, seen: Seen) -> list[str]:
    """No Django signals: what happens is read from the journal. Two moments of the framework itself may be used in apps.py."""
    faults = []
    for node, name in _imports(module.tree):
        seen.count += 1
        head, _, last = name.rpartition(".")
        if head.startswith("django") and ("signals" in head or last == "signals" or head == "django.dispatch"):
            if last in FRAMEWORK_SIGNALS and module.path.startswith("base/") and module.path.endswith("/apps.py"):
                continue
            faults.append(f"{module.path}:{node.lineno}: {name} is a signal")
    faults += [
        f"{module.path}:{node.lineno}: a receiver"
        for node in _functions(module.tree)
        for decorator in node.decorator_list
        if "receiver" in ast.unparse(decorator)
    ]
    return faults


def admin(module: Module, seen: Seen) -> list[str]:
    """No Django admin: it would be a back door around operations."""
    seen.count += 1
    return [f"{module.path}: speaks of django.contrib.admin"] if "django.contrib.admin" in module.source else []


def docstrings(module: Module, seen: Seen) -> list[str]:
    """Every module says in one sentence what is in it."""
    seen.count += 1
    text = ast.get_docstring(module.tree)
    if not module.source.strip() and module.path.endswith("__init__.py"):
        return []
    if not text or text.split("\n\n")[0].strip()[-1] not in ".。!?:)":
        return [f"{module.path}: opens with no sentence that says what is in it"]
    return []


def _operations_imported(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Names bound to a module `operations`, and names of functions taken out of one."""
    as_module: set[str] = set()
    as_function: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                bound = alias.asname or alias.name
                if alias.name == "operations":
                    as_module.add(bound)
                elif "operations" in (node.module or "").split("."):
                    as_function.add(bound)
    return as_module, as_function - {"unit"}


def _recording(module: Module) -> set[str]:
    """The functions of a module whose body records, directly or through another function of it or another operation."""
    as_module, as_function = _operations_imported(module.tree)
    functions = {node.name: node for node in _functions(module.tree)}
    calls: dict[str, set[str]] = {}
    recording: set[str] = set()
    for name, function in functions.items():
        calls[name] = set()
        for node in ast.walk(function):
            if isinstance(node, ast.Name):
                calls[name].add(node.id)
            if not isinstance(node, ast.Call):
                continue
            called = _called(node)
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            from_operations = isinstance(owner, ast.Name) and owner.id in as_module and called != "unit"
            if called in {"record", "record_many"} or from_operations or called in as_function:
                recording.add(name)
    while True:
        more = {name for name, names in calls.items() if name not in recording and names & recording}
        if not more:
            return recording
        recording |= more


def operations(module: Module, seen: Seen) -> list[str]:
    """Every public operation takes keyword-only `actor` and `at`, and records what it did."""
    if not module.is_room("operations"):
        return []
    faults = []
    recording = _recording(module)
    for node in module.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        # A private module of a package of operations is reached through the package's own names only.
        if module.parts[-1].startswith("_") and module.parts[-1] != "__init__":
            continue
        seen.count += 1
        place = f"{module.path}:{node.lineno}: {node.name}"
        if (module.path, node.name) in UNRECORDED:
            continue
        keywords = {argument.arg for argument in node.args.kwonlyargs}
        if not {"actor", "at"} <= keywords:
            faults.append(f"{place} lacks keyword-only actor and at")
        if node.name not in recording:
            faults.append(f"{place} records nothing")
    return faults


def own_save(module: Module, seen: Seen) -> list[str]:
    """A table has no behaviour of its own when it is saved or deleted."""
    if not module.is_room("models"):
        return []
    seen.count += 1
    return [
        f"{module.path}:{node.lineno}: {node.name} is overridden"
        for node in _functions(module.tree)
        if node.name in {"save", "delete", "save_base"}
    ]


def pages_and_tables(module: Module, seen: Seen) -> list[str]:
    """Pages and endpoints import neither models nor the database."""
    if module.parts[0] not in {"web", "api", "gateways"}:
        return []
    faults = []
    for node, name in _imports(module.tree):
        seen.count += 1
        parts = name.lstrip(".").split(".")
        # An error of the database may be named where it becomes a refusal.
        if parts[:2] == ["django", "db"] and parts[-1].endswith("Error"):
            continue
        if (parts[0] == "anban" and "models" in parts) or parts[:2] == ["django", "db"]:
            faults.append(f"{module.path}:{node.lineno}: imports {name}")
    return faults


def _may_write(module: Module) -> bool:
    return module.parts[0] == "base" or (
        module.parts[0] == "contexts" and (module.is_room("operations") or module.is_room("importers"))
    )


def _is_queryset(receiver: ast.expr) -> bool:
    return bool(re.search(r"\b(objects|_default_manager|filter|exclude|all|visible_to)\b", ast.unparse(receiver)))


def writes(module: Module, seen: Seen) -> list[str]:
    """Rows are written in operations, in the set-based paths of importers, and in base; nowhere else."""
    if module.parts[0] not in {"base", "contexts", "web", "api", "gateways", "config", "lab", "lake"}:
        return []
    faults = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "anban.base.journal.births" and not _may_write(module):
            faults += [
                f"{module.path}:{node.lineno}: {n.name} writes outside operations"
                for n in node.names
                if n.name in WRITERS
            ]
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = node.func.attr
        receiver = node.func.value
        is_row = name in WRITES - {"delete", "create", "save"}
        is_row |= name == "create" and _is_queryset(receiver)
        is_row |= name == "delete" and not node.args
        # Pictures and forms save to somewhere; rows save to nowhere or to named fields.
        is_row |= name == "save" and not node.args and all(k.arg in {"update_fields", "using"} for k in node.keywords)
        is_row |= name == "update" and _is_queryset(receiver)
        statement = ast.unparse(node.args[0]) if name in {"execute", "executemany"} and node.args else ""
        is_row |= bool(re.search(r"\b(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\b", statement))
        if not is_row:
            continue
        seen.count += 1
        if not _may_write(module):
            faults.append(f"{module.path}:{node.lineno}: {ast.unparse(node.func)} writes outside operations")
    return faults


def names(module: Module, seen: Seen) -> list[str]:
    """No module is called by a name that says nothing."""
    seen.count += 1
    bad = NO_NAMES & {part.strip("_") for part in module.parts}
    return [f"{module.path}: {', '.join(sorted(bad))} is no name"] if bad else []


def _columns(node: ast.ClassDef) -> dict[str, str]:
    """The columns of a class: attribute name to the field's type."""
    found = {}
    for statement in node.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or not isinstance(statement.value, ast.Call):
            continue
        value = statement.value
        kind = _called(value)
        if kind.endswith("Field") or kind in RELATIONS:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            found[ast.unparse(target)] = kind
    return found


def _attribute(node: ast.ClassDef, name: str) -> ast.expr | None:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
            return statement.value
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == name:
            return statement.value
    return None


def _is_abstract(node: ast.ClassDef) -> bool:
    return any(
        isinstance(inner, ast.ClassDef)
        and inner.name == "Meta"
        and isinstance(flag := _attribute(inner, "abstract"), ast.Constant)
        and flag.value is True
        for inner in node.body
    )


def retention(module: Module, seen: Seen) -> list[str]:
    """Every table says how long it is kept, and every column that holds something personal is tagged."""
    if not module.is_room("models"):
        return []
    faults = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        columns = _columns(node)
        if not columns:
            continue
        seen.count += 1
        place = f"{module.path}:{node.lineno}: {node.name}"
        kept = _attribute(node, "retention")
        if not _is_abstract(node) and not (
            isinstance(kept, ast.Constant) and isinstance(kept.value, str) and kept.value
        ):
            faults.append(f"{place} has no retention class")
        tagged = _attribute(node, "personal")
        named = ast.literal_eval(tagged) if tagged is not None else ()
        if not isinstance(named, tuple):
            faults.append(f"{place}: personal must be a tuple of column names")
            continue
        faults += [f"{place} tags {name}, which is no column of it" for name in named if name not in columns]
        for name, kind in columns.items():
            holds_text = kind in {"CharField", "TextField", "EmailField", "JSONField", "DateField", "BinaryField"}
            looks = PERSONAL.search(name) or (name == "name" and PERSONAL_CLASS.search(node.name))
            if holds_text and looks and name not in named:
                faults.append(f"{place}.{name} looks personal and is not tagged")
    return faults


# Each check, how much it must have seen before its silence means anything, and a fault that it must find.
CHECKS: tuple[tuple[Check, int, str, str], ...] = (
    (imports_inside_functions, 200, "rules/x.py", '"""X."""\ndef f():\n    import json\n'),
    (upward_by_name, 15, "contexts/hazards/models.py", 'v = models.ForeignKey("inspections.Visit")\n'),
    (signals, 200, "contexts/hazards/reactions.py", "from django.db.models.signals import post_save\n"),
    (admin, 50, "contexts/hazards/admin.py", "from django.contrib.admin import site\n"),
    (docstrings, 50, "kit/x.py", "X = 1\n"),
    (operations, 20, "contexts/hazards/operations.py", "def close(*, actor, at):\n    pass\n"),
    (own_save, 8, "contexts/hazards/models.py", "class A:\n    def save(self):\n        pass\n"),
    (pages_and_tables, 30, "web/desk/hazards.py", "from anban.contexts.hazards.models import Hazard\n"),
    (writes, 20, "contexts/hazards/queries.py", "def f(h):\n    Hazard.objects.filter(id=1).update(state='closed')\n"),
    (names, 50, "contexts/hazards/utils.py", ""),
    (retention, 20, "contexts/hazards/models.py", "class Caller:\n    phone = models.CharField()\n"),
)

# Further faults, for the ways round a check.
PLANTED: tuple[tuple[Check, str, str], ...] = (
    (imports_inside_functions, "web/x.py", 'm = import_module("anban.contexts.hazards.models")\n'),
    (upward_by_name, "base/people/x.py", 'm = apps.get_model("hazards", "Hazard")\n'),
    (upward_by_name, "contexts/territory/models.py", 'v = models.OneToOneField(to="hazards.Hazard")\n'),
    (signals, "contexts/hazards/x.py", "@receiver(post_save)\ndef f():\n    pass\n"),
    (operations, "contexts/hazards/operations.py", "def close(actor, at):\n    record()\n"),
    (
        operations,
        "contexts/hazards/operations/closing.py",
        "def close(*, actor, at):\n    with unit():\n        h.save()\n",
    ),
    (pages_and_tables, "api/hazards.py", "from anban.contexts.hazards import models\n"),
    (pages_and_tables, "web/desk/x.py", "from django.db import connection\n"),
    (writes, "web/desk/hazards.py", "def f(h):\n    h.save()\n"),
    (writes, "contexts/hazards/jobs.py", "def f():\n    Hazard.objects.create(id=1)\n"),
    (writes, "contexts/hazards/queries.py", "def f(c):\n    c.execute('DELETE FROM hazards_hazard')\n"),
    (writes, "web/desk/hazards.py", "from anban.base.journal.births import add\n"),
    (retention, "contexts/hazards/models.py", "class A:\n    n = models.IntegerField()\n"),
    (retention, "contexts/x/models.py", "class Person:\n    retention = 'x'\n    name = models.CharField()\n"),
    (
        retention,
        "contexts/x/models.py",
        "class A:\n    retention = 'x'\n    personal = ('y',)\n    n = models.CharField()\n",
    ),
)

# What must pass: a check that finds fault with everything shows nothing either.
SOUND: tuple[tuple[Check, str, str], ...] = (
    (imports_inside_functions, "lake/x.py", "def f():\n    import duckdb\n"),
    (upward_by_name, "contexts/inspections/models.py", 'v = models.ForeignKey("hazards.Hazard")\n'),
    (operations, "contexts/x/operations.py", "def a(*, actor, at):\n    _b()\ndef _b():\n    record()\n"),
    (
        operations,
        "contexts/x/operations.py",
        "from anban.contexts.obligations import operations as o\ndef a(*, actor, at):\n    o.hand_over()\n",
    ),
    (writes, "contexts/x/operations.py", "def f(h):\n    h.save()\n"),
    (writes, "contexts/hazards/queries.py", "from anban.base.journal.births import born\n"),
    (writes, "web/desk/x.py", "def f(d):\n    d.update(a=1)\n    picture.save(path)\n"),
    (retention, "contexts/x/models.py", "class Place:\n    retention = 'x'\n    name = models.CharField()\n"),
)
