// On a static site the kernel runs in this browser. Gives it what a server would, and says how far it is.
Object.defineProperty(navigator, "serviceWorker", { value: undefined }); // JupyterLite's would only share files
window.update_loading_text = window.display_cells = () => {};

function report(reason) {
  window.dispatchEvent(new CustomEvent("rnnviz-lost", { detail: reason }));
}

window.Worker = class extends window.Worker {
  constructor(...options) {
    super(...options);
    this.addEventListener("error", () => report("kernel"));
    this.addEventListener("message", ({ data }) => {
      const isFatal = ({ value }) => value?.level === "critical" && /fatal error/.test(value.data);
      if (data?.argumentList?.some(isFatal)) report("kernel");
    });
  }
};

// Called in front of the cells: the settings of the kernel that Voici is about to start.
function prepareKernel() {
  const place = document.getElementById("jupyter-config-data");
  const config = JSON.parse(place.textContent);
  const root = new URL(config.baseUrl, location.href);
  const kernel = config.litePluginSettings["@jupyterlite/pyodide-kernel-extension:kernel"];
  kernel.pyodideUrl = new URL(kernel.pyodideUrl, root).href;
  const folder = new URL(".", location.href).pathname.slice(root.pathname.length);
  Object.assign(kernel.loadPyodideOptions.env, {
    HOME: `/lib/python3.12/site-packages/notebooks/${folder}`, // where Python starts
    QUERY_STRING: location.search.slice(1),
    SERVER_SOFTWARE: "voila/voici",
  });
  place.textContent = JSON.stringify(config);
  document.addEventListener("DOMContentLoaded", () => showDownloads(config.downloads, root));
}

// Loads the large files into the browser's cache, where the kernel finds them, or shares their download.
async function showDownloads(downloads, root) {
  const line = document.getElementById("rnnviz-loading");
  const { texts } = JSON.parse(document.getElementById("rnnviz-page").textContent);
  const total = Object.values(downloads).reduce((sum, size) => sum + size, 0);
  const megabytes = (size) => (size / 1e6).toFixed(0);
  let done = 0;
  const load = async (address) => {
    const response = await fetch(new URL(address, root));
    if (!response.ok) throw new Error(response.status);
    const reader = response.body.getReader();
    for (let part; !(part = await reader.read()).done; ) {
      done += part.value.length;
      line.textContent = texts.download.replace("{done}", megabytes(done)).replace("{total}", megabytes(total));
    }
  };
  try {
    await Promise.all(Object.keys(downloads).map(load));
    line.textContent = texts.python;
  } catch {
    report("download");
  }
}

// On the site, the page of a notebook has its name, and another ending.
document.addEventListener("click", ({ target }) => {
  const link = target.closest?.("a[href]");
  if (link?.origin === location.origin) link.pathname = link.pathname.replace(/[.]ipynb$/, ".html");
}, true);
