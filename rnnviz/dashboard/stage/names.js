// Accessible names and states that ipywidgets leaves out.

const TOGGLES = {
  "aria-expanded": ".rnnviz :is(.rnnviz-more > .widget-toggle-button, .rnnviz-add, .rnnviz-drawer)",
  "aria-pressed": ".rnnviz .rnnviz-predict",
};
const SLIDER = ".widget-slider, .jupyter-widget-slider";

// noUiSlider's handles and their readouts have no accessible name; the label beside them does.
function nameHandles(texts) {
  for (const slider of document.querySelectorAll(SLIDER)) {
    const label = slider.querySelector("label")?.textContent;
    const handle = slider.querySelector(".noUi-handle");
    if (label && handle && !handle.hasAttribute("aria-label")) handle.setAttribute("aria-label", label);
    const readout = slider.querySelector(".widget-readout");
    if (label && readout && !readout.hasAttribute("aria-label")) {
      setAttributes(readout, { role: "textbox", "aria-label": fill(texts.value, { label }) });
    }
  }
}

// Which button unfolds something, what a row of checkboxes is for, which scene is shown, and which texts are live.
function nameGroups() {
  for (const [name, toggles] of Object.entries(TOGGLES)) {
    for (const toggle of document.querySelectorAll(toggles)) {
      updateAttribute(toggle, name, toggle.classList.contains("mod-active"));
    }
  }
  for (const row of document.querySelectorAll(".rnnviz-compare")) {
    updateAttribute(row, "role", "group");
    updateAttribute(row, "aria-label", row.querySelector(".widget-html-content")?.textContent ?? "");
  }
  for (const scene of document.querySelectorAll(".rnnviz-scenes > .rnnviz-scene")) {
    updateAttribute(scene, "aria-pressed", scene.classList.contains("rnnviz-chosen"));
  }
  for (const words of document.querySelectorAll(".rnnviz-live")) {
    updateAttribute(words.querySelector(".widget-html-content") ?? words, "role", "status");
  }
}

// Names everything now, and again whenever widgets are added or a button is clicked. Returns a clean-up function.
function keepNamed(model, el) {
  const chosen = new MutationObserver(nameGroups);
  const update = () => {
    for (const row of document.querySelectorAll(".rnnviz-scenes")) {
      chosen.observe(row, { subtree: true, attributeFilter: ["class"] });
    }
    nameHandles(model.get("texts"));
    stretchSliders(model.get("fine"));
    nameGroups();
    updateAttribute(el.closest(".rnnviz"), "lang", model.get("lang"));
  };
  const added = new MutationObserver(update);
  added.observe(document.body, { childList: true, subtree: true });
  const updateSoon = () => setTimeout(update);
  document.addEventListener("click", updateSoon);
  update();
  return () => {
    added.disconnect();
    chosen.disconnect();
    document.removeEventListener("click", updateSoon);
  };
}
