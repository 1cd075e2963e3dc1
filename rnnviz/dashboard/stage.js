// The stage: pictures with their alt texts, and the words below them. All of one change arrives as one frame.

const SVG = "http://www.w3.org/2000/svg";

const READOUT = ".widget-readout[contenteditable]";

// A text of the kernel's with its {names} filled in.
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function element(name, className, attributes = {}) {
  const node = document.createElement(name);
  if (className) node.className = className;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// An attribute set anew invalidates styles even where nothing changes: a language, those of everything in the element.
function attribute(node, name, value) {
  if (node && node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

function drawing(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

// A sample of a curve's line, so that the sentence about it is found without telling colours apart.
function sample({ color, dash }) {
  const svg = drawing("svg", { viewBox: "0 0 34 10", class: "rnnviz-sample", "aria-hidden": true });
  const look = { d: "M1 5H33", stroke: color, "stroke-width": 3, "stroke-dasharray": dash.join(" ") };
  svg.append(drawing("path", look));
  return svg;
}

// Room for a picture that is still to come, with what is said of it.
function room({ width, height, alt }) {
  const svg = drawing("svg", { width, height });
  const look = { x: "50%", y: "50%", "text-anchor": "middle", "font-family": "sans-serif", "font-size": 15 };
  const text = drawing("text", look);
  text.textContent = alt;
  svg.append(text);
  return `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
}

// A picture's bytes as an address: a blob's would be fetched through the browser's own process, six times as slow.
function address(png) {
  const bytes = new Uint8Array(png.buffer, png.byteOffset, png.byteLength);
  return `data:image/png;base64,${bytes.toBase64?.() ?? btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""))}`;
}

// A picture's element once it is decoded, which takes the old one's place: a new address in the old element would be
// decoded once more. Nothing where the browser cannot read it.
function decoded(view) {
  return new Promise((resolve) => {
    const next = new Image(view.width, view.height);
    next.alt = view.alt;
    next.decoding = "sync";
    Object.assign(next, { onload: () => resolve(next), onerror: () => resolve(null) });
    next.src = view.png ? address(view.png) : room(view);
  });
}

// Text keeps the room that it once took for as many items, so that what stands below does not move with each sentence.
// It is measured when the browser has laid the page out anyway, since asking earlier makes it do that twice.
const rooms = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const width = String(Math.round(contentRect.width));
    if (target.dataset.width !== width) target.style.minHeight = "";
    target.dataset.width = width;
    target.style.minHeight = `${target.offsetHeight}px`;
  }
});

function keepRoom(node, items) {
  if (node.dataset.items !== String(items)) node.style.minHeight = "";
  node.dataset.items = items;
  rooms.observe(node);
}

// A row that says what it said stays as it is: a live region would tell it again.
function sentences(list, items) {
  items.forEach((item, k) => {
    const [said, old] = [JSON.stringify(item), list.children[k]];
    if (old?.dataset.said === said) return;
    const row = element("li", "", { "data-said": said });
    if (item.style) row.append(sample(item.style));
    row.append(item.text);
    if (item.lines) row.style.minHeight = `${item.lines}lh`;
    if (old) old.replaceWith(row);
    else list.append(row);
  });
  while (list.children.length > items.length) list.lastChild.remove();
  keepRoom(list, items.length);
}

// noUiSlider's handles come without a name for screen readers; the label beside them has it.
function nameHandles(root, texts) {
  for (const slider of root.querySelectorAll(".widget-slider, .jupyter-widget-slider")) {
    const label = slider.querySelector("label")?.textContent;
    const handle = slider.querySelector(".noUi-handle");
    if (label && handle && !handle.hasAttribute("aria-label")) handle.setAttribute("aria-label", label);
    const readout = slider.querySelector(".widget-readout");
    if (label && readout && !readout.hasAttribute("aria-label")) {
      readout.setAttribute("role", "textbox");
      readout.setAttribute("aria-label", fill(texts.value, { label }));
    }
  }
}

// What ipywidgets does not tell screen readers: that a button unfolds something, what a row of boxes is about, which
// scene is shown, and what is worth being told when it changes.
function nameGroups(root) {
  for (const toggle of root.querySelectorAll(".rnnviz-more > .widget-toggle-button")) {
    attribute(toggle, "aria-expanded", toggle.classList.contains("mod-active"));
  }
  for (const row of root.querySelectorAll(".rnnviz-compare")) {
    attribute(row, "role", "group");
    attribute(row, "aria-label", row.querySelector(".widget-html-content")?.textContent ?? "");
  }
  for (const scene of root.querySelectorAll(".rnnviz-scenes > .rnnviz-scene")) {
    attribute(scene, "aria-pressed", scene.classList.contains("rnnviz-chosen"));
  }
  for (const words of root.querySelectorAll(".rnnviz-live")) {
    attribute(words.querySelector(".widget-html-content") ?? words, "role", "status");
  }
}

// A button that can be used no more, as a key pressed it, would lose the focus: the next control of the page takes it.
function keepFocus(root) {
  const all = "button, select, input, textarea, summary, [tabindex='0']";
  const usable = (node) =>
    !node.disabled && !node.closest("[disabled]") && node.checkVisibility({ visibilityProperty: true });
  let last = null;
  const remember = ({ target }) => (last = root()?.contains(target) && target.matches(":focus-visible") ? target : null);
  const forget = () => (last = null);
  const follow = () => {
    if (!last || usable(last) || ![last, document.body].includes(document.activeElement)) return;
    const nodes = [...root().querySelectorAll(all)].filter((node) => node === last || usable(node));
    const at = nodes.indexOf(last);
    last = null;
    (nodes[at + 1] ?? nodes[at - 1])?.focus({ preventScroll: true });
  };
  const observer = new MutationObserver(() => last && requestAnimationFrame(follow));
  observer.observe(document.body, { subtree: true, attributeFilter: ["disabled", "class"] });
  document.addEventListener("focusin", remember);
  document.addEventListener("pointerdown", forget);
  return () => {
    observer.disconnect();
    document.removeEventListener("focusin", remember);
    document.removeEventListener("pointerdown", forget);
  };
}

// The kernel computes ahead what a key on the control in focus may ask for.
function tellFocus(model, root) {
  const attend = ({ target }) => {
    const control = root()?.contains(target) && target.closest(".widget-slider, .jupyter-widget-slider, .widget-dropdown");
    const label = control && control.querySelector("label")?.textContent;
    if (label) model.send({ kind: "focus", label });
  };
  document.addEventListener("focusin", attend);
  return () => document.removeEventListener("focusin", attend);
}

// Readouts with the language's decimal comma. ipywidgets writes a dot and reads no comma, so it finds a dot again before
// its own listeners read what was typed. Of handles, screen readers are told what the readout says, without a float's
// last digits.
function speakNumbers(language) {
  let [typing, reading] = [null, false];
  const put = (readout, from, to) => {
    if (readout.textContent.includes(from)) readout.textContent = readout.textContent.replace(from, to);
  };
  const show = () => {
    if (reading) return;
    for (const readout of document.querySelectorAll(READOUT)) {
      if (readout === typing) continue;
      if (language === "de") put(readout, ".", ",");
      const handle = readout.closest(".widget-slider, .jupyter-widget-slider")?.querySelector(".noUi-handle");
      attribute(handle, "aria-valuetext", readout.textContent);
    }
  };
  const type = (event) => {
    typing = event.target.closest?.(READOUT) ?? null;
  };
  const read = (event) => {
    if (!event.target.matches?.(READOUT) || (event.type === "keydown" && event.key !== "Enter")) return;
    [typing, reading] = [null, true];
    put(event.target, ",", ".");
    setTimeout(() => {
      reading = false;
      show();
    });
  };
  const listeners = language === "de" ? { beforeinput: type, keydown: read, blur: read, focusout: read } : {};
  for (const [kind, listener] of Object.entries(listeners)) document.addEventListener(kind, listener, true);
  const observer = new MutationObserver(show);
  const changes = { childList: true, characterData: true, subtree: true, attributeFilter: ["aria-valuetext"] };
  observer.observe(document.body, changes);
  show();
  return () => {
    observer.disconnect();
    for (const [kind, listener] of Object.entries(listeners)) document.removeEventListener(kind, listener, true);
  };
}

function save(name, type, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = element("a", "", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function button(text, act, label) {
  const node = element("button", "rnnviz-button", { type: "button" });
  node.textContent = text;
  if (label) node.setAttribute("aria-label", label);
  node.addEventListener("click", act);
  return node;
}

// Puts a text into the clipboard; where the browser does not let us, `select` shows it for the reader to copy.
async function copied(text, select) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    select();
    return false;
  }
}

// What leaves the page: data, pictures and code come from the kernel when they are asked for.
function exportTool(model, tools) {
  const texts = model.get("texts");
  const panel = element("div", "rnnviz-code");
  panel.hidden = true;
  const code = element("pre", "", { tabindex: 0, "aria-label": texts.code });
  const said = element("span", "rnnviz-said", { role: "status" });
  const copy = button(texts.copy_code, async () => {
    const done = await copied(code.textContent, () => getSelection().selectAllChildren(code));
    said.textContent = done ? texts.code_copied : texts.code_selected;
  });
  const show = button(texts.show_code, () => {
    panel.hidden = !panel.hidden;
    show.setAttribute("aria-expanded", !panel.hidden);
    if (!panel.hidden) model.send({ kind: "code" });
  });
  show.setAttribute("aria-expanded", false);
  panel.append(code, copy, said);
  // Before what is said beside the buttons, which would push them aside.
  tools.firstChild.after(button(texts.data, () => model.send({ kind: "csv" })), show);
  model.on("change:query", () => panel.hidden || model.send({ kind: "code" }));
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "code") code.textContent = message.text;
    if (message.kind === "file") save(message.name, message.type, buffers[0]);
  });
  return panel;
}

// What a teacher may add to a link, as checkboxes that are folded away; `add` puts it behind a query string.
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

// Where a link leads: to this page; from JupyterLab, whose address says nothing of settings, to Voila on its server.
function placeOfPage() {
  const place = new URL(window.location.href);
  place.hash = place.search = "";
  const config = document.getElementById("jupyter-config-data");
  const base = config ? JSON.parse(config.textContent).baseUrl : "/";
  const inLab = /^(?:(?:lab|doc)(?:\/workspaces\/[^/]+)?\/tree|notebooks)\/(?=.+[.]ipynb$)/;
  if (place.pathname.startsWith(base)) {
    place.pathname = base + place.pathname.slice(base.length).replace(inLab, "voila/render/");
  }
  return place;
}

// The query string that brings back what is shown, with the step that is pointed at.
function linkOf(model) {
  const step = model.get("step");
  return [model.get("query"), step < 0 ? "" : `step=${step}`].filter(Boolean).join("&");
}

// A link to what is shown, in the clipboard where the browser lets us, else selected for the reader to copy.
function linkTool(model) {
  const texts = model.get("texts");
  const tool = element("div", "rnnviz-tools");
  const said = element("span", "rnnviz-said", { role: "status" });
  const field = element("input", "rnnviz-link", { readonly: "", "aria-label": texts.link, hidden: "" });
  const forget = () => {
    said.textContent = "";
    field.hidden = true;
  };
  const options = linkOptions(model, forget);
  const copy = button(texts.copy_link, async () => {
    const address = placeOfPage();
    address.search = options.add(linkOf(model));
    field.value = address.href;
    const done = await copied(address.href, () => {
      field.hidden = false;
      field.focus();
      field.select();
    });
    field.hidden = done;
    said.textContent = done ? texts.link_copied : texts.link_selected;
  });
  model.on("change:query", forget);
  tool.append(copy, options.box, said, field);
  return tool;
}

// For a fault of the program: a button that copies what those who mend it have to know.
function reportTool(model) {
  const texts = model.get("texts");
  const said = element("span", "rnnviz-said", { role: "status" });
  const report = element("pre", "", { tabindex: 0, "aria-label": texts.report });
  const copy = button(texts.copy_report, async () => {
    report.hidden = await copied(report.textContent, () => {
      report.hidden = false;
      getSelection().selectAllChildren(report);
    });
    said.textContent = report.hidden ? texts.report_copied : texts.report_selected;
  });
  const follow = () => {
    report.textContent = model.get("report");
    said.textContent = "";
    report.hidden = true;
    copy.hidden = !report.textContent;
  };
  model.on("change:report", follow);
  follow();
  return [copy, said, report];
}

// How far the rest of a long computation is, and a button that leaves it at that.
function progressTool(model) {
  const texts = model.get("texts");
  const tool = element("div", "rnnviz-progress");
  const bar = element("progress", "", { max: 1 });
  const words = element("span");
  tool.append(bar, button(texts.stop, () => model.send({ kind: "stop" }), texts.stop_computing), words);
  const follow = () => {
    const { share, text } = model.get("progress");
    tool.classList.toggle("rnnviz-silent", share === undefined);
    if (share === undefined) return;
    bar.value = share;
    bar.setAttribute("aria-label", text);
    words.textContent = text;
  };
  model.on("change:progress", follow);
  follow();
  return tool;
}

// One step t, marked in every picture over time: pointed at, stepped to with the arrow keys, or set with the slider.
class Step {
  constructor(model, views) {
    this.model = model;
    this.views = views;
    this.bar = element("div", "rnnviz-step-bar");
    const label = element("label");
    label.textContent = model.get("texts").step;
    this.slider = element("input", "", { type: "range", min: 0, max: 1, step: 1, value: 0 });
    label.append(this.slider);
    this.words = element("div", "rnnviz-moment", { role: "status" });
    this.bar.append(label, this.words);
    this.slider.addEventListener("input", () => this.set(Number(this.slider.value)));
    views.addEventListener("pointermove", (event) => this.point(event));
    views.addEventListener("pointerdown", (event) => this.point(event));
    views.addEventListener("keydown", (event) => this.key(event));
    model.on("change:step", () => this.mark());
    model.on("change:moment", () => this.say());
    this.say();
  }

  // Sends at most one step a painted frame.
  set(t) {
    this.wanted = Math.min(Math.max(t, 0), this.steps || 0);
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = undefined;
      if (this.wanted === this.model.get("step")) return;
      this.model.set("step", this.wanted);
      this.model.save_changes();
    });
  }

  point(event) {
    const figure = event.target.closest(".rnnviz-view");
    const axes = figure?.axes;
    if (!axes) return;
    const box = figure.querySelector("img").getBoundingClientRect();
    const scale = box.width / axes.width;
    const x = (event.clientX - box.left) / scale;
    if (x < axes.left - 6 || x > axes.right + 6) return;
    const value = axes.first + ((x - axes.left) / (axes.right - axes.left)) * (axes.limit - axes.first);
    this.set(Math.round(axes.back === undefined ? value : axes.back - value));
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!by && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    const now = Math.max(this.wanted ?? this.model.get("step"), 0);
    this.set(event.key === "Home" ? 0 : event.key === "End" ? this.steps : now + by);
  }

  frame(steps, told) {
    this.steps = steps;
    this.told = told;
    this.slider.max = steps;
    this.words.style.setProperty("--told", Math.max(told, 2));
    this.mark();
    keepRoom(this.words, told);
  }

  mark() {
    const t = Math.min(this.model.get("step"), this.steps || 0);
    if (t >= 0) this.slider.value = t;
    for (const figure of this.views.children) {
      const { axes, cursor } = figure;
      const value = axes?.back === undefined ? t : axes.back - t;
      cursor.hidden = t < 0 || !axes || value < axes.first || value > axes.limit;
      if (cursor.hidden) continue;
      const x = axes.left + ((value - axes.first) / (axes.limit - axes.first)) * (axes.right - axes.left);
      cursor.style.left = `${(100 * x) / axes.width}%`;
      cursor.style.top = `${(100 * axes.top) / axes.height}%`;
      cursor.style.height = `${(100 * (axes.bottom - axes.top)) / axes.height}%`;
    }
  }

  say() {
    const moment = this.model.get("moment");
    const hint = [this.model.get("texts").hint];
    this.words.replaceChildren(
      ...(moment.length ? moment : hint).map((text) => {
        const row = element("p");
        row.textContent = text;
        return row;
      }),
    );
    keepRoom(this.words, this.told);
  }
}

// The pictures and the sentences below them. Everything old stays until all pictures of a frame are decoded, so nothing
// blinks, and the browser lays the page out once. A frame that is overtaken is left out, as are all before one that goes
// on with pictures that are there.
class Frames {
  constructor(model, el, views) {
    Object.assign(this, { model, el, views, begun: 0, least: 0, fits: false });
    this.texts = model.get("texts");
    this.words = element("ul", "rnnviz-words", { "aria-live": "polite" });
    this.step = new Step(model, views);
    model.on("change:frame", () => this.draw());
    // The first frame is drawn for a page of unknown width: the one for this page's width follows at once.
    setTimeout(() => {
      this.fits = true;
      this.draw();
    }, 3000);
  }

  async draw() {
    const frame = this.model.get("frame");
    if (!frame.views) return;
    this.fits ||= Math.abs(frame.page - this.el.clientWidth) <= 1;
    if (!this.fits) return;
    const mine = ++this.begun;
    const shown = [...this.views.children].map((figure) => figure.dataset.shown);
    const isThere = frame.views.map((view, k) => shown[k] === view.revision);
    if (isThere.includes(true)) this.least = mine;
    [...this.views.children].forEach((figure, k) => (figure.dataset.wanted = frame.views[k].revision));
    const images = await Promise.all(frame.views.map((view, k) => isThere[k] || decoded(view)));
    if (mine < this.least) return;
    this.least = mine;
    this.put(frame, images);
  }

  put(frame, images) {
    this.views.style.setProperty("--columns", frame.columns);
    frame.views.forEach((view, k) => {
      if (!this.views.children[k]) this.views.append(this.figure(view));
      this.show(this.views.children[k], view, images[k]);
    });
    this.step.frame(frame.steps, frame.told);
    sentences(this.words, frame.words);
    this.el.dataset.revision = frame.revision;
    this.el.dataset.whole = frame.whole;
    this.el.dataset.drawn = frame.drawn;
  }

  // A place for one view, which keeps it: a frame has all of a page's views, in their order.
  figure({ name, label: view }) {
    const figure = element("figure", "rnnviz-view", { "data-view": name });
    const files = element("figcaption", "rnnviz-files");
    for (const kind of ["PNG", "SVG"]) {
      const ask = () => this.model.send({ kind: kind.toLowerCase(), view: name });
      files.append(button(kind, ask, fill(this.texts.save, { kind, view })));
    }
    const picture = element("div", "rnnviz-picture"); // as large as the image, on which the cursor is placed
    figure.cursor = element("div", "rnnviz-cursor", { hidden: "" });
    picture.append(element("img"), figure.cursor);
    figure.append(picture, files);
    return figure;
  }

  show(figure, view, image) {
    figure.classList.toggle("rnnviz-late", view.stale);
    figure.axes = view.axes && { ...view.axes, width: view.width, height: view.height };
    if (view.axes) {
      figure.tabIndex = 0;
      attribute(figure, "aria-label", fill(this.texts.keys, { view: view.label }));
    }
    figure.dataset.wanted = view.revision;
    if (image instanceof Element) {
      figure.querySelector("img").replaceWith(image);
      figure.dataset.shown = view.revision;
    }
  }
}

// What the kernel has to say at once, and whether the pictures are of older settings.
function messageTool(model, el) {
  const told = element("div", "rnnviz-told");
  const message = element("p", "rnnviz-message", { role: "alert" });
  told.append(message, ...reportTool(model));
  const say = () => {
    const text = [model.get("message"), model.get("notice")].filter(Boolean).join(" ");
    if (message.textContent !== text) message.textContent = text;
    el.classList.toggle("rnnviz-stale", model.get("busy"));
    // What is told must not wait for pictures that will not come: they may stay old after a stop.
    attribute(el, "aria-busy", model.get("busy") && model.get("progress").share !== undefined);
  };
  model.on("change:message change:notice change:busy change:progress", say);
  say();
  return told;
}

// Tells the kernel how wide the stage is, and how many dots a pixel has.
function tellWidth(model, el) {
  const measure = () => {
    const width = Math.floor(el.clientWidth);
    const ratio = Math.min(2, Math.max(1, Math.round((window.devicePixelRatio || 1) * 2) / 2));
    const known = model.get("viewport");
    if (width > 0 && (known.width !== width || known.ratio !== ratio)) {
      model.set("viewport", { width, ratio });
      model.save_changes();
    }
  };
  let pending;
  const observer = new ResizeObserver(() => {
    clearTimeout(pending);
    pending = setTimeout(measure, el.dataset.revision ? 120 : 0);
  });
  observer.observe(el);
  return () => {
    observer.disconnect();
    clearTimeout(pending);
  };
}

// Names what ipywidgets leaves without a name, now and when more of the page has come.
function keepNamed(model, el) {
  const chosen = new MutationObserver(() => nameGroups(document));
  const settle = () => {
    for (const row of document.querySelectorAll(".rnnviz-scenes")) {
      chosen.observe(row, { subtree: true, attributeFilter: ["class"] });
    }
    nameHandles(document, model.get("texts"));
    nameGroups(document);
    attribute(el.closest(".rnnviz"), "lang", model.get("lang"));
  };
  const names = new MutationObserver(settle);
  names.observe(document.body, { childList: true, subtree: true });
  settle();
  const settleSoon = () => setTimeout(settle);
  document.addEventListener("click", settleSoon);
  return () => {
    names.disconnect();
    chosen.disconnect();
    document.removeEventListener("click", settleSoon);
  };
}

// For the page around the stage, which leads to the same settings elsewhere.
function tellLink(model, el) {
  const tell = () => {
    if (model.get("frame").views) el.dataset.query = linkOf(model);
  };
  model.on("change:query change:step", tell);
  tell();
}

function render({ model, el }) {
  el.classList.add("rnnviz-stage");
  document.body.classList.toggle("rnnviz-present", model.get("present"));
  el.lang = model.get("lang");
  const views = element("div", "rnnviz-views");
  const frames = new Frames(model, el, views);
  const tools = linkTool(model);
  el.append(messageTool(model, el), progressTool(model), views, frames.words, frames.step.bar, tools, exportTool(model, tools));
  const page = () => el.closest(".rnnviz");
  const ends = [
    tellWidth(model, el),
    keepNamed(model, el),
    keepFocus(page),
    tellFocus(model, page),
    speakNumbers(model.get("lang")),
  ];
  tellLink(model, el);
  frames.draw();
  return () => ends.forEach((end) => end());
}

export default { render };
