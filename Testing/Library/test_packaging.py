"""The extension as Slicer's build system sees it: what the lists name is there, what is there is named."""

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("PyPeT", "PyPeTLib")
"""Folders that are installed: the module and the library."""

MACRO = "slicerMacroBuildScriptedModule"
KEYWORDS = ("NAME", "SCRIPTS", "RESOURCES", "WITH_SUBDIR", "WITH_GENERIC_TESTS")
SLICER_FILES = sorted([ROOT / "PyPeT" / "PyPeT.py", *(ROOT / "PyPeT").glob("*/*.py")])


def commands(path: Path) -> list[tuple[str, list[str]]]:
    """The commands of a CMake file with their arguments; variables that the file sets are filled in."""
    # a comment begins where an even number of quotes follows on the line
    text = re.sub(r'#(?=(?:[^"\n]*"[^"\n]*")*[^"\n]*$).*$', "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    variables: dict[str, list[str]] = {}
    found = []
    for name, body in re.findall(r'(\w+)\s*\(((?:[^()"]|"[^"]*")*)\)', text):
        arguments = []
        for quoted, bare in re.findall(r'"([^"]*)"|([^\s"]+)', body):
            whole = re.fullmatch(r"\$\{(\w+)\}", bare)
            if whole and whole[1] in variables:
                arguments += variables[whole[1]]
            else:
                arguments.append(
                    re.sub(r"\$\{(\w+)\}", lambda m: " ".join(variables.get(m[1], [m[0]])), quoted or bare)
                )
        if name == "set":
            variables[arguments[0]] = arguments[1:]
        found.append((name, arguments))
    return found


def only(path: Path, name: str) -> list[str]:
    """Arguments of the one command of this name."""
    (arguments,) = (arguments for command, arguments in commands(path) if command == name)
    return arguments


def built(part: str) -> dict[str, list[str]]:
    """What the macro for scripted modules is told, by keyword."""
    told: dict[str, list[str]] = {}
    for argument in only(ROOT / part / "CMakeLists.txt", MACRO):
        if argument in KEYWORDS:
            assert argument not in told, argument
            values = told[argument] = []
        else:
            values.append(argument)
    return told


def installed() -> dict[str, Path]:
    """Each file of an installed extension, relative to the folder ``qt-scripted-modules``, and where it comes from."""
    files = {}
    for part in PARTS:
        told = built(part)
        for name in told["SCRIPTS"] + told["RESOURCES"]:
            files[f"{part}/{name}" if "WITH_SUBDIR" in told else name] = ROOT / part / name
    return files


def metadata() -> dict[str, str]:
    """The variables ``EXTENSION_…`` of the extension, without their prefix."""
    settings = [a for name, a in commands(ROOT / "CMakeLists.txt") if name == "set" and a[0].startswith("EXTENSION_")]
    return {name.removeprefix("EXTENSION_"): value for name, value in settings}


def test_the_parser_reads_comments_quotes_and_variables(tmp_path: Path) -> None:
    path = tmp_path / "CMakeLists.txt"
    path.write_text(
        'set(A x)  # set(A y)\nset(FILES\n  ${A}.py\n  # gone.py\n  b.py\n)\ncall("a # (b) ${A}" ${FILES} ${C})\n'
    )
    assert commands(path)[-1] == ("call", ["a # (b) x", "x.py", "b.py", "${C}"])
    assert commands(path)[:2] == [("set", ["A", "x"]), ("set", ["FILES", "x.py", "b.py"])]


@pytest.mark.parametrize("part", PARTS)
def test_lists_name_each_file_once_and_no_other(part: str) -> None:
    files = [path.relative_to(ROOT / part) for path in (ROOT / part).rglob("*") if path.is_file()]
    files = [path for path in files if not any(name.startswith((".", "__pycache__")) for name in path.parts)]
    scripts = {path.as_posix() for path in files if path.suffix == ".py"}
    resources = {path.as_posix() for path in files if path.suffix != ".py"} - {"CMakeLists.txt"}
    told = built(part)
    for listed, there in ((told["SCRIPTS"], scripts), (told["RESOURCES"], resources)):
        assert set(listed) == there, f"missing or superfluous in {part}/CMakeLists.txt: {sorted(set(listed) ^ there)}"
        assert len(listed) == len(set(listed)), "a file is listed twice"


def test_the_library_lies_beside_the_module_in_a_folder_of_its_name() -> None:
    module, library = built("PyPeT"), built("PyPeTLib")
    assert (module["NAME"], library["NAME"]) == (["PyPeT"], ["PyPeTLib"])
    assert "WITH_SUBDIR" not in module
    assert "WITH_SUBDIR" in library
    assert [a for name, a in commands(ROOT / "CMakeLists.txt") if name == "add_subdirectory"] == [
        ["PyPeT"],
        ["PyPeTLib"],
    ]
    files = installed()
    assert {"PyPeT.py", "PyPeTLib/__init__.py", "PyPeTLib/py.typed", "Scripts/pypet_batch.py"} <= files.keys()
    packages = {name.rpartition("/")[0] for name in files if name.endswith(".py") and "/" in name} - {"Scripts"}
    assert {f"{package}/__init__.py" for package in packages} <= files.keys(), "a folder is no package"


def test_slicer_sees_one_module_alone() -> None:
    # it takes each Python file of the folder itself, of the sources as of the installation, for a module
    assert [path.name for path in (ROOT / "PyPeT").glob("*.py")] == ["PyPeT.py"]
    assert [name for name in installed() if "/" not in name] == ["PyPeT.py"]


def test_tests_are_registered() -> None:
    found = commands(ROOT / "PyPeT" / "CMakeLists.txt")
    assert ("slicer_add_python_unittest", ["SCRIPT", "PyPeT.py"]) in found
    assert "WITH_GENERIC_TESTS" in built("PyPeT")
    assert "WITH_GENERIC_TESTS" not in built("PyPeTLib"), "the library is no module"


def test_the_extension_describes_itself() -> None:
    described = metadata()
    assert only(ROOT / "CMakeLists.txt", "project") == ["PyPeT"]
    assert described["CATEGORY"] == "Quantification"
    assert described["CONTRIBUTORS"] == "The PyPeT developers"
    assert described["DEPENDS"] == "NA"
    assert "Research use only" in described["DESCRIPTION"]
    # a semicolon would end the text: the build system hands it on as a list
    assert not set(described["DESCRIPTION"]) & set(";\n")
    names = [name for name, _ in commands(ROOT / "CMakeLists.txt")]
    assert names.index("find_package") < names.index("add_subdirectory"), "the macros come with Slicer"
    includes = [a for name, a in commands(ROOT / "CMakeLists.txt") if name == "include"]
    assert includes == [["${Slicer_USE_FILE}"], ["${Slicer_EXTENSION_GENERATE_CONFIG}"], ["${Slicer_EXTENSION_CPACK}"]]


def test_pictures_on_the_web_are_files_of_this_project() -> None:
    described = metadata()
    project = described["HOMEPAGE"].removeprefix("https://github.com/")
    pictures = [described["ICONURL"], *described["SCREENSHOTURLS"].split()]
    assert len(pictures) >= 2
    for url in pictures:
        base = f"https://raw.githubusercontent.com/{project}/main/"
        assert url.startswith(base)
        assert (ROOT / url.removeprefix(base)).is_file(), url


def test_the_index_entry_is_what_the_schema_asks_for() -> None:
    entry = json.loads((ROOT / "Resources" / "PyPeT.json").read_text(encoding="utf-8"))
    assert re.search(r"/slicer-extension-catalog-entry-schema-v1\.0\.\d+\.json#?$", entry.pop("$schema"))
    kinds = {name: type(value) for name, value in entry.items()}
    texts = {"category": str, "scm_url": str, "scm_revision": str, "build_subdirectory": str}
    assert kinds == {**texts, "build_dependencies": list, "tier": int}
    assert entry["category"] == metadata()["CATEGORY"]
    assert entry["scm_url"] == f"{metadata()['HOMEPAGE']}.git"
    assert (entry["build_dependencies"], entry["tier"], entry["build_subdirectory"]) == ([], 1, ".")
    # rules of the index: the repository begins with Slicer, the extension does not
    assert entry["scm_url"].rpartition("/")[2].startswith("Slicer")


def picture_program(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "Testing" / "Pictures" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_icons_and_thumbnails_have_their_sizes() -> None:
    icons = picture_program("icons")
    sizes = {name: (size, size) for name, size in icons.ICONS.items()} | dict.fromkeys(icons.THUMBNAILS, (260, 280))
    sizes |= {name: (size, size) for name, (_, size) in icons.BUTTONS.items()}
    assert sizes["Resources/Icons/PyPeT.png"] == (128, 128)
    assert sizes["PyPeT/Resources/Icons/PyPeT.png"] == (64, 64)
    assert {(ROOT / name).name for name in sizes} >= {
        path.name for path in (ROOT / "PyPeT" / "Resources").rglob("*.png")
    }
    for name, size in sizes.items():
        with icons.Image.open(ROOT / name) as picture:
            assert (picture.format, picture.size) == ("PNG", size), name
            assert len(picture.convert("RGB").getcolors(maxcolors=2**17)) > 20, f"{name} is blank"
        assert (ROOT / name).stat().st_size < (4_000 if name in icons.BUTTONS else 40_000), name


def test_icons_of_buttons_are_seen_in_light_and_dark_themes() -> None:
    icons = picture_program("icons")
    for name in icons.BUTTONS:
        with icons.Image.open(ROOT / name) as picture:
            pixels = icons.np.asarray(picture.convert("RGBA"), float).reshape(-1, 4)
        drawn = pixels[pixels[:, 3] > 250, :3] / 255
        assert 0.05 < len(drawn) / len(pixels) < 0.8, name
        linear = icons.np.where(drawn <= 0.04045, drawn / 12.92, ((drawn + 0.055) / 1.055) ** 2.4)
        luminance = linear @ [0.2126, 0.7152, 0.0722]
        # WCAG 2.1, contrast to white and to the window of a dark theme, (43, 43, 43)
        assert icons.np.median(1.05 / (luminance + 0.05)) >= 3, name
        assert icons.np.median((luminance + 0.05) / (0.0242 + 0.05)) >= 3, name


def test_colour_tables_are_those_of_their_program() -> None:
    program = picture_program("colour_tables")
    assert {path.stem for path in program.FOLDER.iterdir()} == set(program.TABLES)
    for name in program.TABLES:
        shipped = (program.FOLDER / f"{name}.txt").read_text(encoding="utf-8")
        assert shipped == program.text(name), f"run Testing/Pictures/colour_tables.py: {name}"


PYSIDE_ONLY = {"Signal", "Slot", "Property", "QtCore", "QtGui", "QtWidgets"}
"""Names of PySide's ``qt`` that PythonQt does not have."""


@pytest.mark.parametrize("path", SLICER_FILES, ids=lambda p: p.name)
def test_slicer_side_runs_on_python_3_11_and_pythonqt(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=(3, 11))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            roots = {module.split(".")[0] for module in modules}
            assert not roots & {"PySide2", "PySide6", "shiboken6", "PyQt5", "PyQt6", "qtpy"}, f"line {node.lineno}"
        elif isinstance(node, ast.Attribute):
            of_qt = isinstance(node.value, ast.Name) and node.value.id == "qt"
            assert not (of_qt and node.attr in PYSIDE_ONLY), f"line {node.lineno}: qt.{node.attr}"
            assert node.attr != "exec", f"line {node.lineno}: PythonQt of Qt 5 has exec_()"
