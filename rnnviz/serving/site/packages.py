"""The packages that the browser's Python loads: all in one archive, and the lock that lists it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path

from .pyodide import VERSION

INFO = {"abi_version": "2024_0", "arch": "wasm32", "platform": "emscripten_3_1_58", "python": "3.12.7"}
NAME, ARCHIVE = "rnnviz-site", "packages.zip"
PACKAGE = Path(__file__).parents[2]
OWN = ("pyodide_kernel", "ipykernel")  # wheels that come with the kernel
INSTALLED = ("ipywidgets", "anywidget", "psygnal", "comm", "typing_extensions")  # pure Python, of this environment
# The kernel asks for these by name. Those that it needs are in the archive; nobody completes code on these pages, or
# installs packages.
ASKED = ("micropip", "piplite", "ssl", "sqlite3", "ipykernel", "comm", "pyodide_kernel", "jedi", "ipython")
NOTHING = b"PK\5\6" + bytes(18)  # an empty archive
NO_FILE = f"data:application/zip;base64,{b64encode(NOTHING).decode()}#.zip"
UNUSED = re.compile(
    r"\.pyi$|\.a$|\.h$|\.po$|\.so\.map$|/RECORD$|/(tests?|include|f2py|distutils|sample_data|images)/|(^|/)__pycache__/"
    r"|\.cpython-\d+-(?!wasm)|^anywidget/(labextension|nbextension)/|^rnnviz/(serving|reproductions|notebooks)/"
    r"|^(mpl_toolkits|numpy/_pyinstaller|matplotlib/backends/(web_backend|qt_editor))/"
    r"|^pygments/lexers/(?!__init__|_mapping|python)|/(lapack_lite|_qhull|_tri|_ttconv|_webp)\.c|_(rational|umath)_tests\.c"
    r"|/(afm|pdfcorefonts)/|/fonts/ttf/(?!DejaVuSans(-Bold|-Oblique|-BoldOblique|Mono)?\.ttf)"
)


def write(folder: Path, found: dict[str, bytes], kernel: Path, notebooks: list[Path]) -> bool:
    """Write what the browser loads: Pyodide, the archive and the lock. Tell whether the archive holds bytecode.

    Node.js, where it is installed, compiles with this very Pyodide: without, each page starts seconds later.

    Parameters
    ----------
    found : Pyodide's files. kernel : the folder of the kernel's own wheels.
    notebooks : their paths below their folder, of which the kernel finds empty files.
    """
    folder.mkdir(parents=True)
    for name, content in found.items():
        if not name.endswith(".whl"):
            (folder / name).write_bytes(content)
    with zipfile.ZipFile(folder / ARCHIVE, "w") as archive:
        for name, content in contents(found, kernel, notebooks):
            if not UNUSED.search(name):
                archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    write_lock(folder)
    node = shutil.which("node")
    if node:
        subprocess.run([node, Path(__file__).with_name("compile.cjs"), folder], check=True)
        write_lock(folder)
    return node is not None


def write_lock(folder: Path) -> None:
    """Write the list of packages that Pyodide loads from a folder, with the archive's sum."""
    entries = {NAME: entry(NAME, ARCHIVE, (folder / ARCHIVE).read_bytes())}
    entries |= {name: entry(name, NO_FILE, NOTHING) for name in (each.replace("_", "-") for each in ASKED)}
    lock = {"info": INFO | {"version": VERSION}, "packages": entries}
    (folder / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")


def entry(name: str, address: str, content: bytes) -> dict:
    """Return a package's entry in the lock."""
    place = {"file_name": address, "sha256": sha256(content).hexdigest(), "install_dir": "site"}
    return {"name": name, "version": "1", "package_type": "package", "imports": [], "depends": []} | place


def contents(found: dict[str, bytes], kernel: Path, notebooks: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield all files of the archive."""
    wheels = [BytesIO(content) for name, content in found.items() if name.endswith(".whl")]
    wheels += [BytesIO(path.read_bytes()) for name in OWN for path in kernel.glob(f"{name}-*.whl")]
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                yield name, font_list(archive) if name == "matplotlib/fontlist.json" else archive.read(name)
    for name in INSTALLED:
        for file in distribution(name).files or ():
            if not file.as_posix().startswith("../"):
                yield file.as_posix(), file.read_binary()
    for path in filter(Path.is_file, PACKAGE.rglob("*")):
        yield path.relative_to(PACKAGE.parent).as_posix(), path.read_bytes()
    for name in ("piplite/__init__.py", "piplite/piplite.py"):  # of which the kernel sets two variables
        yield name, b""
    for path in notebooks:
        yield f"notebooks/{path.as_posix()}", b""


def font_list(matplotlib: zipfile.ZipFile) -> bytes:
    """Return Matplotlib's list of the fonts that the archive keeps, under the version that it looks for.

    Pyodide's has that of a later Matplotlib, so that each start would make the list again, in seconds.
    """
    fonts = json.loads(matplotlib.read("matplotlib/fontlist.json"))
    source = matplotlib.read("matplotlib/font_manager.py").decode()
    fonts["_version"] = int(re.findall(r"__version__ = (\d+)", source)[0])
    fonts["afmlist"] = []
    fonts["ttflist"] = [each for each in fonts["ttflist"] if not UNUSED.search(f"matplotlib/{each['fname']}")]
    return json.dumps(fonts).encode()
