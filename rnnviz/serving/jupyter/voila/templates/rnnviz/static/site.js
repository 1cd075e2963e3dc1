// On a static site the kernel runs in this browser. Gives it what a server would, and says how far it is.
// JupyterLite's service worker would only share files; it waits until it is there, or refused.
const refuse = () => Promise.reject(new Error("these pages need no service worker"));
Object.defineProperty(navigator, "serviceWorker", { value: { register: refuse } });
window.update_loading_text = window.display_cells = () => {};

function report(reason) {
  window.dispatchEvent(new CustomEvent("rnnviz-lost", { detail: reason }));
}

// In front of the kernel's own script: counts what it loads. A copy is read, so that Pyodide gets the answer itself.
function counting() {
  const load = self.fetch;
  self.fetch = async (...request) => {
    const answer = await load(...request).catch(() => Response.error());
    if (!answer.ok) {
      self.postMessage({ rnnvizMissing: true });
      return answer;
    }
    const reader = answer.clone().body.getReader();
    const count = ({ done, value }) => {
      if (done) return undefined;
      self.postMessage({ rnnvizBytes: value.length });
      return reader.read().then(count);
    };
    reader.read().then(count);
    return answer;
  };
}

window.Worker = class extends window.Worker {
  constructor(address, options) {
    const script = `(${counting})();importScripts(${JSON.stringify(String(address))})`;
    super(URL.createObjectURL(new Blob([script], { type: "text/javascript" })), options);
    const isFatal = ({ value }) => value?.level === "critical" && /fatal error/.test(value.data);
    this.addEventListener("error", () => report("kernel"));
    this.addEventListener("message", (event) => {
      if (event.data?.rnnvizMissing) report("missing");
      if (event.data?.rnnvizBytes) showLoaded(event.data.rnnvizBytes);
      if (event.data?.argumentList?.some(isFatal)) report("kernel");
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
}

let loaded = 0;
function showLoaded(bytes) {
  loaded += bytes;
  const line = document.getElementById("rnnviz-loading");
  if (!line) return;
  const { texts, megabytes } = JSON.parse(document.getElementById("rnnviz-page").textContent);
  const done = (loaded / 1e6).toFixed(0);
  line.textContent = done < megabytes ? texts.download.replace("{done}", done).replace("{total}", megabytes) : texts.python;
}

// On the site, the page of a notebook has its name, and another ending.
document.addEventListener("click", ({ target }) => {
  const link = target.closest?.("a[href]");
  const page = link?.origin === location.origin && link.pathname.match(/(.*)[.]ipynb$/);
  if (page) link.pathname = `${page[1]}.html`;
}, true);
