// One step t, marked in every picture over time: pointed at, reached with the arrow keys, or set with the slider.

class Step {
  constructor(model, views) {
    this.model = model;
    this.views = views;
    this.bar = element("div", "rnnviz-step-bar");
    const label = element("label");
    label.textContent = model.get("texts").step;
    this.slider = element("input", "", { type: "range", min: 0, max: 1, step: 1, value: 0 });
    label.append(this.slider);
    this.readout = element("div", "rnnviz-moment", { role: "status" });
    this.bar.append(label, this.readout);
    this.slider.addEventListener("input", () => this.request(Number(this.slider.value)));
    views.addEventListener("pointermove", (event) => this.point(event));
    views.addEventListener("pointerdown", (event) => this.point(event));
    views.addEventListener("keydown", (event) => this.press(event));
    // Where the numbers cover the sentences, on a narrow screen.
    this.readout.addEventListener("click", () => this.readout.classList.add("rnnviz-away"));
    this.bar.addEventListener("keydown", ({ key }) => key === "Escape" && this.readout.click());
    model.on("change:step", () => this.mark());
    model.on("change:moment", () => this.showReadout());
    this.showReadout();
  }

  // Sends at most one step per animation frame.
  request(t) {
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
    this.request(Math.round(axes.back === undefined ? value : axes.back - value));
  }

  press(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!by && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    const at = this.wanted ?? this.model.get("step");
    const now = at >= 0 ? at : by < 0 ? this.steps - by : 0; // backwards from the end, as the gradient goes
    this.request(event.key === "Home" ? 0 : event.key === "End" ? this.steps : now + by);
  }

  // Takes over a frame's number of steps, and of the sentences that a step's readout has.
  follow(steps, sentences) {
    this.steps = steps;
    this.sentences = sentences;
    this.slider.max = steps;
    this.mark();
    keepHeight(this.readout, sentences);
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

  showReadout() {
    const readout = this.model.get("moment");
    const hint = [this.model.get("texts").hint];
    this.readout.classList.toggle("rnnviz-hint", !readout.length);
    this.readout.classList.remove("rnnviz-away");
    this.bar.classList.toggle("rnnviz-unread", !readout.length);
    this.readout.replaceChildren(
      ...(readout.length ? readout : hint).map((text) => appendText(element("p"), text)),
    );
    keepHeight(this.readout, this.sentences);
  }
}
