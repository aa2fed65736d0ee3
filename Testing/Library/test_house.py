"""Rules of the house that a newcomer could break without noticing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "PyPeTLib"
MODULE = ROOT / "PyPeT"
FILES = sorted(LIBRARY.rglob("*.py"))
MODULE_FILES = sorted(MODULE.rglob("*.py"))
ROOMS_THAT_KNOW_QT = {"PyPeT.py", "choices.py", "option_form.py"}
"""And the sections of the panel."""

GROUND_FLOOR = (
    *("arrays", "errors", "registry", "options", "geometry", "frames", "series", "maps"),
    *("workspace", "blas", "execution", "memory", "projection", "tables", "lesion_options", "version"),
)
LAYERS = (
    GROUND_FLOOR,
    ("io",),
    ("preprocess",),
    ("masking",),
    ("contrast",),
    ("aif",),
    ("deconvolution",),
    ("quantification",),
    ("config",),
    ("presets",),
    ("assembly", "compute"),
    ("quality",),
    ("stages", "arterial_stage"),
    ("course",),
    ("pipeline",),
    ("compare", "lesions", "probing", "report"),
    ("synthesis",),
    ("job",),
    ("batch",),
    ("cli", "__main__"),
)
"""From the ground up: a module may import from its own layer and from those below."""


LAYERED = [p for p in FILES if p.relative_to(LIBRARY).parts[0] not in ("__init__.py", "phantom")]
"""All but the package's front door and the phantoms, which see the whole library."""


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer_of(module: str) -> int | None:
    return next((i for i, layer in enumerate(LAYERS) if module in layer), None)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_library_knows_neither_slicer_nor_qt(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert not roots & {"slicer", "vtk", "qt", "ctk", "PySide6", "mrml"}


@pytest.mark.parametrize("path", LAYERED, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_a_stage_never_imports_a_later_one(path: Path) -> None:
    own = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
    layer = layer_of(own)
    assert layer is not None, f"{own} has no layer yet: give it one here"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "PyPeTLib" and len(parts) > 1:
            other = layer_of(parts[1])
            assert other is None or other <= layer, f"{path.name} imports {name}, which lies above it"
        assert not name.startswith("PyPeTLib.phantom") or own == "cli"


@pytest.mark.parametrize("path", [*FILES, *MODULE_FILES], ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    # Slicer wants module, parameters, panel, logic and tests in one file
    most = 600 if path.name == "PyPeT.py" else 420
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.parametrize("path", MODULE_FILES, ids=lambda p: str(p.relative_to(MODULE)))
def test_only_the_panel_knows_qt(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert not roots & {"PySide6", "PySide2", "PyQt5", "nibabel", "SimpleITK", "skimage", "matplotlib"}
    knows = path.name in ROOMS_THAT_KNOW_QT or path.stem.endswith("_section")
    assert knows or not roots & {"qt", "ctk"}


def test_nothing_heavy_is_imported_with_the_module() -> None:
    top = ast.parse((MODULE / "PyPeT.py").read_text(encoding="utf-8")).body
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    assert not names & {"numpy", "scipy", "SimpleITK"}


def test_top_of_the_project_holds_what_the_customer_fixed() -> None:
    fixed = ("CMakeLists.txt", "PyPeT", "PyPeTLib", "Testing", "Resources", "README.md", "LICENSE.txt", "CHANGELOG.md")
    for name in (*fixed, "Makefile", ".ci/run"):
        assert (ROOT / name).exists(), name
