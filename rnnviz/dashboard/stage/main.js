// Puts the stage together. stage.py joins these files in the order of its PARTS: this one comes last.

// Reports the stage's width in CSS pixels, and the device pixels per CSS pixel.
function reportWidth(model, el, frames) {
  const report = () => {
    const width = Math.floor(el.clientWidth);
    const ratio = Math.min(2, Math.max(1, Math.round((window.devicePixelRatio || 1) * 2) / 2));
    const height = document.documentElement.clientHeight;
    const known = model.get("viewport");
    if (width > 0 && (known.width !== width || known.ratio !== ratio)) {
      model.set("viewport", { width, height, ratio });
      model.save_changes();
    } else if (width > 0 && !frames.fits) {
      frames.draw(); // the first frame came before the page had its width
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

// Reports whether the browser shows another tab: nothing is computed then that nobody sees.
function reportHidden(model) {
  const report = () => {
    if (model.get("hidden") === document.hidden) return;
    model.set("hidden", document.hidden);
    model.save_changes();
  };
  const stop = () => document.removeEventListener("visibilitychange", report);
  document.addEventListener("visibilitychange", report);
  // A page that is left for good hides too, but has no kernel then.
  window.addEventListener("pagehide", ({ persisted }) => persisted || stop());
  report();
  return stop;
}

function render({ model, el }) {
  el.classList.add("rnnviz-stage");
  document.body.classList.toggle("rnnviz-present", model.get("present"));
  el.lang = model.get("lang");
  const views = element("div", "rnnviz-views");
  const frames = new Frames(model, el, views);
  const tools = linkTool(model);
  const told = element("div", "rnnviz-status");
  told.append(messageTool(model, el), progressTool(model));
  const { bar } = frames.chooser;
  el.append(bar, views, frames.step.bar, frames.what, frames.words, frames.settings, tools, exportTool(model, tools), told);
  const page = () => el.closest(".rnnviz");
  const cleanUps = [
    reportWidth(model, el, frames),
    reportHidden(model),
    keepNamed(model, el),
    keepFocus(page),
    showDefinitions(page),
    followLinks(model, el),
    followConnection(model),
    localizeNumbers(model.get("lang")),
  ];
  publishQuery(model, el);
  frames.draw();
  return () => cleanUps.forEach((cleanUp) => cleanUp());
}

export default { render };
