// Runs before Voila's own scripts: shows the page when it is ready, and says so when its kernel is lost.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const page = JSON.parse(byId("rnnviz-page").textContent);
  const CLOSED_ON_PURPOSE = 1000;
  let leaving = false;

  // What a link says of the page, without the language: that is in the address of the notebook itself.
  function withoutLanguage(query) {
    const parts = query.replace(/^\?/, "").split("&");
    return parts.filter((part) => part && part.split("=")[0] !== "lang").join("&");
  }

  const addressOf = (notebook, query) => `${notebook}?${withoutLanguage(query)}`.replace(/\?$/, "");

  // A link may ask for another language than that of its notebook. The project's own server leads there by itself.
  const asked = new URLSearchParams(location.search).getAll("lang").pop();
  if (Object.hasOwn(page.translations, asked)) {
    leaving = true;
    location.replace(addressOf(page.translations[asked], location.search) + location.hash);
  }

  // What is seen now, as far as the kernel told it, else what was asked for.
  const settings = () => document.querySelector(".rnnviz-stage")?.dataset.query ?? location.search;

  // The link to another language leads to what is seen now, however it is followed: click, new tab, copied address.
  function keepSettings(link) {
    const notebook = link.getAttribute("href");
    const update = () => link.setAttribute("href", addressOf(notebook, settings()));
    for (const kind of ["pointerenter", "focus", "click"]) link.addEventListener(kind, update);
  }

  function reload() {
    const there = new URL(location.href);
    there.search = settings();
    there.hash = ""; // a page's own anchor would only be scrolled to
    if (there.href === location.href) location.reload();
    else location.assign(there);
  }

  function showLost(reason) {
    const notice = byId("rnnviz-lost");
    if (leaving || !notice || document.body.classList.contains("has-lost-kernel")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = page.texts.reload;
    button.addEventListener("click", reload);
    notice.replaceChildren(`${page.texts[reason]} `, button);
    notice.hidden = false;
    document.body.classList.toggle("has-lost-kernel", reason !== "broken");
    reveal();
  }

  // A socket that closes may come back (a network that blinked): only the server knows whether the kernel is alive.
  async function askAfterKernel(attempt = 0) {
    const config = JSON.parse(byId("jupyter-config-data").textContent);
    try {
      const answer = await fetch(`${config.baseUrl}api/kernels/${config.kernelId}`, { cache: "no-store" });
      showLost(answer.ok ? "broken" : "kernel");
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
      this.addEventListener("close", ({ code }) => leaving || code === CLOSED_ON_PURPOSE || askAfterKernel());
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
    byId("rnnviz-loading").textContent = page.texts.loading;
    observer.observe(byId("rnnviz-notebook"), { childList: true, subtree: true });
    return undefined;
  }

  // Voila frees the kernel of a closed page only with a token, which a Jupyter server sets with its own pages alone.
  function fetchToken() {
    if (!/(^|;\s*)_xsrf=/.test(document.cookie)) fetch(`${document.body.dataset.baseUrl}tree`).catch(() => {});
  }

  // The names that Voila's scripts call.
  window.voila_heartbeat = () => {};
  window.voila_process = () => {};
  window.voila_finish = () => {};
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".rnnviz-languages a").forEach(keepSettings);
    fetchToken();
    if (byId("jupyter-config-data")) waitForOutputs();
    else showLost("start");
  });
})();
