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

// A sample of a curve's line, so that the sentence about it is found without telling colours apart.
function sample(style) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 34 10");
  svg.setAttribute("class", "rnnviz-sample");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", "M1 5H33");
  line.setAttribute("stroke", style.color);
  line.setAttribute("stroke-width", "3");
  line.setAttribute("stroke-dasharray", style.dash.join(" "));
  svg.append(line);
  return svg;
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
    next.src = address(view.png);
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

function sentences(list, items) {
  list.replaceChildren(
    ...items.map((item) => {
      const row = element("li");
      if (item.style) row.append(sample(item.style));
      row.append(item.text);
      return row;
    }),
  );
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

// What ipywidgets does not tell screen readers: that a button unfolds something, what a row of boxes is about, and which
// scene is shown.
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

// What leaves the page: data, pictures and code come from the kernel when they are asked for.
function exportTool(model, tools) {
  const texts = model.get("texts");
  const panel = element("div", "rnnviz-code");
  panel.hidden = true;
  const code = element("pre", "", { tabindex: 0, "aria-label": texts.code });
  const said = element("span", "rnnviz-said", { role: "status" });
  const copy = button(texts.copy_code, async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      said.textContent = texts.code_copied;
    } catch {
      getSelection().selectAllChildren(code);
      said.textContent = texts.code_selected;
    }
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
    const address = new URL(window.location.href);
    const step = model.get("step");
    address.search = [options.add(model.get("query")), step < 0 ? "" : `step=${step}`].filter(Boolean).join("&");
    address.hash = "";
    field.value = address.href;
    try {
      await navigator.clipboard.writeText(address.href);
      field.hidden = true;
      said.textContent = texts.link_copied;
    } catch {
      field.hidden = false;
      field.focus();
      field.select();
      said.textContent = texts.link_selected;
    }
  });
  model.on("change:query", forget);
  tool.append(copy, options.box, said, field);
  return tool;
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
    this.set(Math.round(((x - axes.left) / (axes.right - axes.left)) * axes.limit));
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!by && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    const now = Math.max(this.wanted ?? this.model.get("step"), 0);
    this.set(event.key === "Home" ? 0 : event.key === "End" ? this.steps : now + by);
  }

  frame(steps, curves) {
    this.steps = steps;
    this.curves = curves;
    this.slider.max = steps;
    this.words.style.setProperty("--curves", Math.max(curves, 2));
    this.mark();
    keepRoom(this.words, curves);
  }

  mark() {
    const t = Math.min(this.model.get("step"), this.steps || 0);
    if (t >= 0) this.slider.value = t;
    for (const figure of this.views.children) {
      const { axes, cursor } = figure;
      cursor.hidden = t < 0 || !axes || t > axes.limit;
      if (cursor.hidden) continue;
      const x = axes.left + (t / axes.limit) * (axes.right - axes.left);
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
    keepRoom(this.words, this.curves);
  }
}

function render({ model, el }) {
  el.classList.add("rnnviz-stage");
  document.body.classList.toggle("rnnviz-present", model.get("present"));
  const [language, texts] = [model.get("lang"), model.get("texts")];
  el.lang = language;
  const views = element("div", "rnnviz-views");
  const message = element("p", "rnnviz-message", { role: "alert" });
  const words = element("ul", "rnnviz-words", { "aria-live": "polite" });
  const step = new Step(model, views);
  const tools = linkTool(model);
  el.append(message, progressTool(model), views, words, step.bar, tools, exportTool(model, tools));

  // The first frame is drawn for a page of unknown width: the one for this page's width follows at once.
  let fits = false;
  setTimeout(() => {
    fits = true;
    draw();
  }, 3000);

  // Everything old stays until all pictures of a frame are decoded, so nothing blinks, and the browser lays the page out
  // once. A frame that is overtaken is left out, as are all before one that goes on with pictures that are there.
  let [begun, least] = [0, 0];
  const draw = async () => {
    const frame = model.get("frame");
    if (!frame.views) return;
    fits ||= Math.abs(frame.page - el.clientWidth) <= 1;
    if (!fits) return;
    const mine = ++begun;
    const isThere = frame.views.map((view, k) => views.children[k]?.dataset.shown === view.revision);
    if (isThere.includes(true)) least = mine;
    [...views.children].forEach((figure, k) => (figure.dataset.wanted = frame.views[k].revision));
    const images = await Promise.all(frame.views.map((view, k) => isThere[k] || decoded(view)));
    if (mine < least) return;
    least = mine;
    put(frame, images);
  };
  const put = (frame, images) => {
    views.style.setProperty("--columns", frame.columns);
    while (views.children.length < frame.views.length) {
      const figure = element("figure", "rnnviz-view");
      figure.cursor = element("div", "rnnviz-cursor", { hidden: "" });
      const files = element("figcaption", "rnnviz-files");
      const name = texts[`view_${frame.views[views.children.length].name}`];
      for (const kind of ["PNG", "SVG"]) {
        const ask = () => model.send({ kind: kind.toLowerCase(), view: figure.dataset.view });
        files.append(button(kind, ask, fill(texts.save, { kind, view: name })));
      }
      figure.append(element("img"), figure.cursor, files);
      views.append(figure);
    }
    frame.views.forEach((view, k) => {
      const figure = views.children[k];
      figure.dataset.view = view.name;
      figure.classList.toggle("rnnviz-late", view.stale);
      figure.axes = view.axes && { ...view.axes, width: view.width, height: view.height };
      if (view.axes) {
        figure.tabIndex = 0;
        attribute(figure, "aria-label", fill(texts.keys, { view: texts[`view_${view.name}`] ?? view.name }));
      }
      figure.dataset.wanted = view.revision;
      if (images[k] instanceof Element) {
        figure.querySelector("img").replaceWith(images[k]);
        figure.dataset.shown = view.revision;
      }
    });
    step.frame(frame.steps, frame.curves);
    sentences(words, frame.words);
    el.dataset.revision = frame.revision;
    el.dataset.whole = frame.whole;
    el.dataset.drawn = frame.drawn;
  };
  const say = () => {
    message.textContent = [model.get("message"), model.get("notice")].filter(Boolean).join(" ");
    el.classList.toggle("rnnviz-stale", Boolean(model.get("message")) || model.get("busy"));
    attribute(el, "aria-busy", model.get("busy"));
  };
  const measure = () => {
    const width = Math.floor(el.clientWidth);
    const ratio = Math.min(2, Math.max(1, Math.round((window.devicePixelRatio || 1) * 2) / 2));
    const known = model.get("viewport");
    if (width > 0 && (known.width !== width || known.ratio !== ratio)) {
      model.set("viewport", { width, ratio });
      model.save_changes();
    }
  };

  // For the page around the stage, which leads to the same settings elsewhere.
  const tellQuery = () => model.get("frame").views && (el.dataset.query = model.get("query"));
  tellQuery();
  model.on("change:query", tellQuery);
  model.on("change:frame", draw);
  model.on("change:message change:notice change:busy", say);
  let pending;
  const observer = new ResizeObserver(() => {
    clearTimeout(pending);
    pending = setTimeout(measure, el.dataset.revision ? 120 : 0);
  });
  observer.observe(el);
  const chosen = new MutationObserver(() => nameGroups(document));
  const settle = () => {
    for (const row of document.querySelectorAll(".rnnviz-scenes")) {
      chosen.observe(row, { subtree: true, attributeFilter: ["class"] });
    }
    nameHandles(document, texts);
    nameGroups(document);
    attribute(el.closest(".rnnviz"), "lang", language);
  };
  const names = new MutationObserver(settle);
  names.observe(document.body, { childList: true, subtree: true });
  settle();
  const settleSoon = () => setTimeout(settle);
  document.addEventListener("click", settleSoon);
  const beSilent = speakNumbers(language);
  const forget = tellFocus(model, () => el.closest(".rnnviz"));
  draw();
  say();

  return () => {
    observer.disconnect();
    names.disconnect();
    chosen.disconnect();
    document.removeEventListener("click", settleSoon);
    beSilent();
    forget();
    clearTimeout(pending);
  };
}

export default { render };
