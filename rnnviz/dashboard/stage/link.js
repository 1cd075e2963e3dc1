// A link to the current settings.

// Where a link leads: to this page, or, from JupyterLab, whose address has no settings, to Voila on the same server.
function pageAddress() {
  const address = new URL(window.location.href);
  const { baseUrl: base, sharesToken } = JSON.parse(
    document.getElementById("jupyter-config-data")?.textContent ?? '{"baseUrl": "/"}',
  );
  // The token of the project's own server is for all who get the link; that of a Jupyter server is for its owner alone.
  const token = sharesToken && address.searchParams.get("token");
  address.hash = "";
  address.search = token ? new URLSearchParams({ token }) : "";
  const inLab = /^(?:(?:lab|doc)(?:\/workspaces\/[^/]+)?\/tree|notebooks)\/(?=.+[.]ipynb$)/;
  if (address.pathname.startsWith(base)) {
    address.pathname = base + address.pathname.slice(base.length).replace(inLab, "voila/render/");
  }
  return address;
}

// The address that others can open: below a hub, the page's own has the name of its user in it.
function sharedAddress(address, share) {
  if (!share.base || !address.pathname.startsWith(share.base)) return address.href;
  const rest = address.pathname.slice(share.base.length) + address.search;
  if (share.binder) return `${share.binder}?urlpath=${encodeURIComponent(rest)}`;
  return share.redirect ? new URL(share.redirect + rest, address).href : address.href;
}

// The query string that restores what is shown, including the step pointed at.
function currentQuery(model) {
  const step = model.get("step");
  return [model.get("query"), step < 0 ? "" : `step=${step}`].filter(Boolean).join("&");
}

// Checkboxes for what a teacher may add to a link, folded away at first; `add` appends what is ticked to a query.
function linkOptions(model, changed) {
  const texts = model.get("texts");
  const box = element("details", "rnnviz-share");
  const summary = element("summary");
  summary.textContent = texts.link_options;
  box.append(summary);
  const boxes = ["lock=all", "present=1", "predict=1"].map((part) => {
    const label = element("label");
    const input = element("input", "", { type: "checkbox", value: part });
    input.addEventListener("change", changed);
    label.append(input, texts[part.split("=")[0]]);
    box.append(label);
    return input;
  });
  const add = (query) => {
    const ticked = boxes.filter((input) => input.checked).map((input) => input.value);
    const names = ticked.map((part) => part.split("=")[0]);
    const others = query.split("&").filter((part) => part && !names.includes(part.split("=")[0]));
    return [...others, ...ticked].join("&");
  };
  return { box, add };
}

// A button that copies the link; if the clipboard is closed, the link appears, selected.
function linkTool(model) {
  const texts = model.get("texts");
  const tool = element("div", "rnnviz-tools");
  const status = element("span", "rnnviz-said", { role: "status" });
  const field = element("input", "rnnviz-link", { readonly: "", "aria-label": texts.link, hidden: "" });
  const reset = () => {
    status.textContent = "";
    field.hidden = true;
  };
  const options = linkOptions(model, reset);
  const copy = button(texts.copy_link, async () => {
    const address = pageAddress();
    address.search = [options.add(currentQuery(model)), address.search.slice(1)].filter(Boolean).join("&");
    const share = model.get("share");
    field.value = sharedAddress(address, share);
    const copied = await copyText(field.value, () => {
      field.hidden = false;
      field.focus();
      field.select();
    });
    field.hidden = copied;
    const said = copied ? texts.link_copied : texts.link_selected;
    status.textContent = share.ends ? `${said} ${texts.link_ends}` : said;
  });
  model.on("change:query", reset);
  tool.append(copy, options.box, status, field);
  return tool;
}

// The settings that a link such as `?inputs=none` names. JupyterLab makes it a link to a file of that name.
function settingsOf(link) {
  const [href, file] = [link.getAttribute("href"), link.pathname.split("/").pop()];
  return href.startsWith("?") ? href : file.startsWith("%3F") ? decodeURIComponent(file) : "";
}

// Applies the settings of a link to this very page, such as a task's *Set this up*, without a reload. JupyterLab has
// several notebooks on one page, and follows links by itself.
function followLinks(model, el) {
  const follow = (event) => {
    const link = event.target.closest?.("a[href]");
    const query = link && settingsOf(link);
    if (!query || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.closest(".jp-Notebook")?.contains(el) === false) return;
    event.preventDefault();
    event.stopPropagation();
    model.send({ kind: "open", query });
  };
  document.addEventListener("click", follow, true);
  return () => document.removeEventListener("click", follow, true);
}

// Gives the query to the page around the stage, for its links to other languages and for reloading.
function publishQuery(model, el) {
  const publish = () => {
    if (model.get("frame").views) el.dataset.query = currentQuery(model);
  };
  model.on("change:query change:step", publish);
  publish();
}
