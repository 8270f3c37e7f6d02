"""Imports point down: the layers of the product, enforced."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LAYERS = [
    {"dags"},
    {"monitor.cli", "monitor.bootstrap", "monitor.line"},
    {"monitor.web", "monitor.demo"},
    {"connectors", "nlp", "monitor.store", "monitor.search", "monitor.notifiers"},
    {"monitor.stages"},
    {"monitor.query"},
    {"monitor.net", "monitor.domain"},
    {"monitor.config", "monitor.configfile", "monitor.configwrite", "monitor.protocols", "monitor.text"},
    {"monitor.model", "monitor.errors"},
]
RANK = {name: rank for rank, names in enumerate(reversed(LAYERS)) for name in names}
ONLY_BOOTSTRAP = {"monitor.store", "monitor.search", "connectors", "nlp"}
MAY_KNOW_CONCRETE = {"monitor.bootstrap", "monitor.cli", "monitor.demo", *ONLY_BOOTSTRAP}


def modules():
    for top in ("monitor", "connectors", "nlp", "dags"):
        yield from sorted((ROOT / top).rglob("*.py"))


def layer_of(name: str) -> str | None:
    """The longest layer name that `name` lies in."""
    fitting = [layer for layer in RANK if name == layer or name.startswith(layer + ".")]
    return max(fitting, key=len, default=None)


def imports_of(file: Path):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def upward(name: str, imported: list[str]) -> list[str]:
    own = layer_of(name)
    found = []
    for other in imported:
        target = layer_of(other)
        if target is None or own is None or target == own:
            continue
        if RANK[target] > RANK[own]:
            found.append(f"{name} ({own}) imports {other} ({target}), which lies above it")
        if target in ONLY_BOOTSTRAP and own not in MAY_KNOW_CONCRETE:
            found.append(f"{name} imports {other}: only bootstrap and the command line know implementations")
    return found


@pytest.mark.parametrize("file", list(modules()), ids=name_of)
def test_every_module_has_a_layer_and_imports_only_what_lies_below(file):
    name = name_of(file)
    if name != "monitor":
        assert layer_of(name), f"{name} lies in no layer: give it one in LAYERS"
    assert upward(name, list(imports_of(file))) == []


def test_an_upward_import_is_noticed():
    assert upward("monitor.domain.case", ["monitor.stages.collect"])
    assert upward("monitor.stages.tag", ["nlp.tagger"])
    assert upward("monitor.web.inbox", ["monitor.store"])
    assert not upward("monitor.stages.tag", ["monitor.protocols.Store"])


def test_connectors_know_only_the_nouns_the_net_and_the_text():
    allowed = (
        "monitor.model",
        "monitor.protocols",
        "monitor.errors",
        "monitor.net",
        "monitor.text",
        "monitor.config.NetSettings",
    )
    for file in (ROOT / "connectors").glob("*.py"):
        ours = [name for name in imports_of(file) if name.startswith(("monitor", "nlp", "dags"))]
        assert [name for name in ours if not name.startswith(allowed)] == [], file.name


def test_config_holds_no_python():
    assert list((ROOT / "config").rglob("*.py")) == []
