// Puts the stage together. stage.py joins these files in the order of its PARTS: this one comes last.

// Reports the stage's width in CSS pixels, and the device pixels per CSS pixel.
function reportWidth(model, el) {
  const report = () => {
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
    pending = setTimeout(report, el.dataset.revision ? 120 : 0);
  });
  observer.observe(el);
  return () => {
    observer.disconnect();
    clearTimeout(pending);
  };
}

function render({ model, el }) {
  el.classList.add("rnnviz-stage");
  document.body.classList.toggle("rnnviz-present", model.get("present"));
  el.lang = model.get("lang");
  const views = element("div", "rnnviz-views");
  const frames = new Frames(model, el, views);
  const tools = linkTool(model);
  el.append(messageTool(model, el), progressTool(model), views, frames.words, frames.settings, frames.step.bar, tools, exportTool(model, tools));
  const page = () => el.closest(".rnnviz");
  const cleanUps = [
    reportWidth(model, el),
    keepNamed(model, el),
    keepFocus(page),
    localizeNumbers(model.get("lang")),
  ];
  publishQuery(model, el);
  frames.draw();
  return () => cleanUps.forEach((cleanUp) => cleanUp());
}

export default { render };
