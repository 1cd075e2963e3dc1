// Sliders over a wide range, most of whose width is given to the values that matter.

const WIDE_SHARE = { min: 0, from: "10%", to: "74%", max: 100 };

// Lets the sliders named in `fine` move finely between two values, and fast outside of them. ipywidgets sets an even
// range again whenever a slider's ends change.
function stretchSliders(fine) {
  for (const slider of document.querySelectorAll(SLIDER)) {
    const ends = fine[slider.querySelector("label")?.textContent];
    const api = slider.querySelector(".noUi-target")?.noUiSlider;
    if (!ends || !api || api.options.range[WIDE_SHARE.from] !== undefined) continue;
    const { min, max } = api.options.range;
    const inner = { [WIDE_SHARE.from]: ends[0], [WIDE_SHARE.to]: ends[1] };
    api.updateOptions({ range: { min, ...inner, max } }, false);
  }
}
