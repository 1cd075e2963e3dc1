// node compile.cjs FOLDER: replaces the sources in FOLDER/packages.zip by the bytecode of the Pyodide in FOLDER.
const fs = require("fs");
const path = require("path");

const PROGRAM = `
from importlib.util import source_hash
from importlib._bootstrap_external import _code_to_hash_pyc
from zipfile import ZIP_DEFLATED, ZipFile

with ZipFile("/sources.zip") as sources, ZipFile("/packages.zip", "w", ZIP_DEFLATED) as packages:
    for info in sources.infolist():
        content = sources.read(info)
        if info.filename.endswith(".py"):
            code = compile(content, "/lib/python3.12/site-packages/" + info.filename, "exec", dont_inherit=True)
            content = _code_to_hash_pyc(code, source_hash(content), False)
            info.filename += "c"
        packages.writestr(info, content, ZIP_DEFLATED)
`;

async function main(folder) {
  const { loadPyodide } = require(path.join(folder, "pyodide.js"));
  const file = path.join(folder, "packages.zip");
  const pyodide = await loadPyodide({ indexURL: folder });
  pyodide.FS.writeFile("/sources.zip", fs.readFileSync(file));
  pyodide.runPython(PROGRAM);
  fs.writeFileSync(file, pyodide.FS.readFile("/packages.zip"));
}

main(path.resolve(process.argv[2]));
