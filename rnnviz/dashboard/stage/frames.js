// The pictures and the sentences below them; each change arrives as one frame.

// A sample of a curve's line, so that a sentence can be matched to its curve without telling colours apart.
function lineSample({ color, dash }) {
  const svg = drawing("svg", { viewBox: "0 0 34 10", class: "rnnviz-sample", "aria-hidden": true });
  const look = { d: "M1 5H33", stroke: color, "stroke-width": 3, "stroke-dasharray": dash.join(" ") };
  svg.append(drawing("path", look));
  return svg;
}

// Stands in for a picture that is still being computed.
function placeholder({ width, height, alt }) {
  const svg = drawing("svg", { width, height });
  const look = { x: "50%", y: "50%", "text-anchor": "middle", "font-family": "sans-serif", "font-size": 15 };
  const text = drawing("text", look);
  text.textContent = alt;
  svg.append(text);
  return `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
}

// A data URL: a blob's URL would be fetched through the browser's main process, six times as slowly.
function dataUrl(png) {
  const bytes = new Uint8Array(png.buffer, png.byteOffset, png.byteLength);
  return `data:image/png;base64,${bytes.toBase64?.() ?? btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""))}`;
}

// Resolves to a new, decoded <img>, or to null if the browser cannot read it. It replaces the old element, since a new
// URL in the old one would be decoded a second time.
function decodedImage(view) {
  return new Promise((resolve) => {
    const image = new Image(view.width, view.height);
    image.alt = view.alt;
    image.decoding = "sync";
    Object.assign(image, { onload: () => resolve(image), onerror: () => resolve(null) });
    image.src = view.png ? dataUrl(view.png) : placeholder(view);
  });
}

// A button that unfolds the reason for a verdict; it stays open when the verdict changes.
function reason(text, label, old) {
  const words = element("span", "rnnviz-reason");
  appendText(words, text);
  const toggle = button(label, () => {
    words.hidden = !words.hidden;
    for (const node of [words.closest("li"), words.closest("ul")]) node.style.minHeight = "";
    toggle.setAttribute("aria-expanded", !words.hidden);
  });
  toggle.classList.add("rnnviz-why");
  words.hidden = !(old?.querySelector(".rnnviz-reason")?.hidden === false);
  toggle.setAttribute("aria-expanded", !words.hidden);
  return [toggle, " ", words];
}

// Leaves unchanged rows alone: the list is a live region, and screen readers would read them again.
function showSentences(list, items, why, whole) {
  items.forEach((item, k) => {
    const [content, old] = [JSON.stringify(item), list.children[k]];
    if (old?.dataset.content === content) return;
    const row = element("li", "", { "data-content": content });
    if (item.style) row.append(lineSample(item.style));
    const text = element("span", "rnnviz-verdict");
    row.append(appendText(text, item.text));
    if (item.why) row.append(" ", ...reason(item.why, why, old));
    if (item.lines) row.style.setProperty("--lines", item.lines);
    if (old) old.replaceWith(row);
    else list.append(row);
    keepHeight(row, items.length, old);
  });
  while (list.children.length > items.length) list.lastChild.remove();
  // A bet covers the sentences and leaves them their room, as does a draft, which may have fewer than the whole.
  if (items.length && (whole || items.length > Number(list.dataset.items))) keepHeight(list, items.length);
}

// A click inside the axes of a map goes to the settings of that point.
function place(model, event) {
  const figure = event.target.closest(".rnnviz-view");
  const plane = figure?.plane;
  if (!plane || event.target.closest("button")) return;
  const box = figure.querySelector("img").getBoundingClientRect();
  const scale = box.width / plane.width;
  const x = ((event.clientX - box.left) / scale - plane.left) / (plane.right - plane.left);
  const y = (plane.bottom - (event.clientY - box.top) / scale) / (plane.bottom - plane.top);
  const inside = [x, y].every((share) => share >= 0 && share <= 1);
  if (inside) model.send({ kind: "place", view: figure.dataset.view, x, y });
}

// Everything old stays until all pictures of a frame are decoded, so that nothing blinks and the browser lays the page
// out once. A frame is dropped if a later one has been shown, or if a later one reuses pictures on the page.
class Frames {
  constructor(model, el, views) {
    Object.assign(this, { model, el, views, started: 0, oldest: 0, fits: false });
    this.texts = model.get("texts");
    this.words = element("ul", "rnnviz-words", { "aria-live": "polite" });
    this.settings = element("p", "rnnviz-settings"); // for paper, which has no controls
    this.step = new Step(model, views);
    this.what = element("div", "rnnviz-what-words"); // beside the first sentence, whose row it must not change
    this.what.append(whatButton(this.texts.what, model.get("verdict")));
    this.chooser = chooserTool(model, views);
    views.addEventListener("click", (event) => place(model, event));
    model.on("change:frame", () => this.draw());
    // The kernel draws its first frame without knowing the page's width; normally the one that fits follows at once.
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
    const mine = ++this.started;
    const shown = [...this.views.children].map((figure) => figure.dataset.shown);
    const isShown = frame.views.map((view, k) => shown[k] === view.revision);
    if (isShown.includes(true)) this.oldest = mine;
    [...this.views.children].forEach((figure, k) => (figure.dataset.wanted = frame.views[k].revision));
    const images = await Promise.all(frame.views.map((view, k) => isShown[k] || decodedImage(view)));
    if (mine < this.oldest) return;
    this.oldest = mine;
    this.show(frame, images);
  }

  show(frame, images) {
    this.views.style.setProperty("--columns", frame.columns);
    frame.views.forEach((view, k) => {
      if (!this.views.children[k]) this.views.append(this.figure(view));
      this.showView(this.views.children[k], view, images[k]);
    });
    for (const name of ["told", "curves"]) this.el.style.setProperty(`--${name}`, frame[name]);
    this.step.follow(frame.steps, frame.told);
    showSentences(this.words, frame.words, this.texts.why, frame.whole);
    this.chooser.update();
    if (this.settings.textContent !== frame.settings) this.settings.textContent = frame.settings;
    this.el.dataset.revision = frame.revision;
    this.el.dataset.whole = frame.whole;
    this.el.dataset.drawn = frame.drawn;
  }

  // Every frame has all of a page's views in the same order, so each view keeps its figure.
  figure({ name, label: view }) {
    const figure = element("figure", "rnnviz-view", { "data-view": name });
    const files = element("figcaption", "rnnviz-files");
    for (const kind of ["PNG", "SVG"]) {
      const ask = () => this.model.send({ kind: kind.toLowerCase(), view: name });
      files.append(button(kind, ask, fill(this.texts.save, { kind, view })));
    }
    files.append(...copyButton(this.model, name, view));
    const picture = element("div", "rnnviz-picture"); // the size of the image, so that the cursor's place is relative
    figure.cursor = element("div", "rnnviz-cursor", { hidden: "" });
    picture.append(element("img"), figure.cursor);
    figure.what = whatButton(fill(this.texts.what_picture, { view }), []);
    figure.append(figure.what);
    figure.append(picture, files);
    return figure;
  }

  showView(figure, view, image) {
    figure.classList.toggle("rnnviz-late", view.stale);
    figure.classList.toggle("rnnviz-partial", Boolean(view.partial));
    figure.axes = view.axes && { ...view.axes, width: view.width, height: view.height };
    figure.plane = view.plane && { ...view.plane, width: view.width };
    figure.classList.toggle("rnnviz-places", Boolean(view.plane));
    if (view.axes) {
      figure.tabIndex = 0;
      updateAttribute(figure, "aria-label", fill(this.texts.keys, { view: view.label }));
    }
    figure.dataset.wanted = view.revision;
    figure.what.hidden = !view.terms?.length;
    figure.what.dataset.terms = (view.terms ?? []).join("\n");
    if (image instanceof Element) {
      figure.querySelector("img").replaceWith(image);
      figure.dataset.shown = view.revision;
    }
  }
}
