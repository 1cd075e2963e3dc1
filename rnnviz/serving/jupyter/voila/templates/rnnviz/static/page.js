// Runs before Voila's own scripts: shows the page when it is ready, and says so when its kernel is lost.
(() => {
  "use strict";
  const LOST = {
    kernel: "The kernel behind this page has stopped, so the pictures no longer follow the controls.",
    server: "The server behind this page cannot be reached, so the pictures no longer follow the controls.",
    start: "The kernel behind this page did not start, so there are no controls.",
  };
  let leaving = false;

  const byId = (id) => document.getElementById(id);

  function showLost(reason) {
    const notice = byId("rnnviz-lost");
    if (leaving || !notice || !notice.hidden) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Reload the page";
    button.addEventListener("click", () => location.reload());
    notice.replaceChildren(`${LOST[reason]} `, button);
    notice.hidden = false;
    document.body.classList.add("has-lost-kernel");
    reveal();
  }

  // A socket that closes may come back (a network that blinked): only the server knows whether the kernel is alive.
  async function askAfterKernel(attempt = 0) {
    const config = JSON.parse(byId("jupyter-config-data").textContent);
    try {
      const answer = await fetch(`${config.baseUrl}api/kernels/${config.kernelId}`, { cache: "no-store" });
      if (!answer.ok) showLost("kernel");
    } catch {
      if (attempt < 3) setTimeout(askAfterKernel, 1500, attempt + 1);
      else showLost("server");
    }
  }

  // A kernel that dies keeps its socket: the server then sends a short status message, text inside a binary frame.
  async function readStatus(data) {
    if (typeof data !== "string" && data.byteLength > 4096) return;
    const text = typeof data === "string" ? data : new TextDecoder().decode(data);
    if (/"execution_state":\s*"(dead|restarting|autorestarting)"/.test(text)) showLost("kernel");
  }

  window.WebSocket = class extends window.WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      if (!/\/api\/kernels\/[^/]+\/channels/.test(String(url))) return;
      this.addEventListener("message", (event) => readStatus(event.data));
      this.addEventListener("close", () => leaving || askAfterKernel());
    }
  };
  window.addEventListener("beforeunload", () => (leaving = true));

  function reveal() {
    document.body.classList.remove("is-loading");
    byId("rnnviz-loading")?.remove();
  }

  // Voila fills an output by replacing its script element; a widget is there once it has a child.
  function waitForOutputs() {
    const pending = () => document.querySelector('script[type="application/vnd.voila.cell-output+json"]');
    const empty = () => document.querySelector(".jp-OutputArea-output.lm-Widget:empty");
    const observer = new MutationObserver(() => {
      if (pending() || empty()) return;
      observer.disconnect();
      reveal();
    });
    if (!pending()) return reveal();
    byId("rnnviz-loading").textContent = "Loading the controls …";
    observer.observe(byId("rnnviz-notebook"), { childList: true, subtree: true });
    return undefined;
  }

  // The names that Voila's scripts call.
  window.voila_heartbeat = () => {};
  window.voila_process = () => {};
  window.voila_finish = () => {};
  document.addEventListener("DOMContentLoaded", () => {
    if (byId("jupyter-config-data")) waitForOutputs();
    else showLost("start");
  });
})();
