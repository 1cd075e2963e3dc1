// node compile.cjs FOLDER: replaces the sources in FOLDER's archives by the bytecode of the Pyodide in FOLDER.
const fs = require("fs");
const path = require("path");

const PROGRAM = `
from importlib.util import source_hash
from importlib._bootstrap_external import _code_to_hash_pyc
from zipfile import ZIP_DEFLATED, ZipFile

with ZipFile("/sources.zip") as sources, ZipFile("/compiled.zip", "w", ZIP_DEFLATED) as compiled:
    for info in sources.infolist():
        content = sources.read(info)
        if info.filename.endswith(".py"):
            code = compile(content, place + info.filename, "exec", dont_inherit=True)
            content = _code_to_hash_pyc(code, source_hash(content), False)
            info.filename += "c"
        compiled.writestr(info, content, ZIP_DEFLATED)
`;
const PLACES = { "packages.zip": "/lib/python3.12/site-packages/", "python_stdlib.zip": "/lib/python312.zip/" };

async function main(folder) {
  const { loadPyodide } = require(path.join(folder, "pyodide.js"));
  const pyodide = await loadPyodide({ indexURL: folder });
  for (const [name, place] of Object.entries(PLACES)) {
    pyodide.FS.writeFile("/sources.zip", fs.readFileSync(path.join(folder, name)));
    pyodide.globals.set("place", place);
    pyodide.runPython(PROGRAM);
    fs.writeFileSync(path.join(folder, name), pyodide.FS.readFile("/compiled.zip"));
  }
}

main(path.resolve(process.argv[2]));
