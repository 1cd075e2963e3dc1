// Sliders over a wide range, most of whose width is given to the values that matter.

// Lets the sliders named in `fine` give most of their width to the values between two ends. ipywidgets sets an even range
// again whenever a slider's least or greatest value changes.
function stretchSliders(fine) {
  for (const slider of document.querySelectorAll(SLIDER)) {
    const ends = fine[slider.querySelector("label")?.textContent];
    const api = slider.querySelector(".noUi-target")?.noUiSlider;
    if (!ends || !api || "10%" in api.options.range) continue;
    const { step, range } = api.options;
    const [from, to] = ends.map((end) => [end, step]);
    api.updateOptions({ range: { min: [range.min, step], "10%": from, "74%": to, max: range.max } }, false);
  }
}
