// Slider readouts with the language's decimal comma.

const READOUT = ".widget-readout[contenteditable]";

// ipywidgets writes a dot and cannot parse a comma, so a comma becomes a dot again just before ipywidgets reads what was
// typed. It reads that at Enter alone: what is left counts as entered, and would else stay, whatever the value is.
// Screen readers get the readout's text as the value of the handle, without a float's last digits.
function localizeNumbers(language) {
  let [typing, parsing] = [null, false];
  const replace = (readout, from, to) => {
    if (readout.textContent.includes(from)) readout.textContent = readout.textContent.replace(from, to);
  };
  const show = () => {
    if (parsing) return;
    for (const readout of document.querySelectorAll(READOUT)) {
      if (readout === typing) continue;
      if (language === "de") replace(readout, ".", ",");
      updateAttribute(readout.closest(SLIDER)?.querySelector(".noUi-handle"), "aria-valuetext", readout.textContent);
    }
  };
  const type = (event) => (typing = event.target.closest?.(READOUT) ?? null);
  const parse = (event) => {
    if (event.key !== "Enter" || !event.target.matches?.(READOUT)) return;
    [typing, parsing] = [null, true];
    if (language === "de") replace(event.target, ",", ".");
    setTimeout(() => {
      parsing = false;
      show();
    });
  };
  const leave = ({ target }) => {
    const enter = { key: "Enter", keyCode: 13, bubbles: true, cancelable: true };
    if (target === typing) target.dispatchEvent(new KeyboardEvent("keydown", enter));
  };
  const listeners = { beforeinput: type, keydown: parse, blur: leave };
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
