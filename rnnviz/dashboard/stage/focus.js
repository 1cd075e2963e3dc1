// The keyboard focus: keeps it on the page, and reports it to the kernel.

// A button that disables itself when a key presses it would lose the focus: it moves to the next usable control.
function keepFocus(root) {
  const all = "button, select, input, textarea, summary, [tabindex='0']";
  const usable = (node) =>
    !node.disabled && !node.closest("[disabled]") && node.checkVisibility({ visibilityProperty: true });
  let last = null;
  const remember = ({ target }) => (last = root()?.contains(target) && target.matches(":focus-visible") ? target : null);
  const forget = () => (last = null);
  const moveOn = () => {
    if (!last || usable(last) || ![last, document.body].includes(document.activeElement)) return;
    const nodes = [...root().querySelectorAll(all)].filter((node) => node === last || usable(node));
    const at = nodes.indexOf(last);
    last = null;
    (nodes[at + 1] ?? nodes[at - 1])?.focus({ preventScroll: true });
  };
  const observer = new MutationObserver(() => last && requestAnimationFrame(moveOn));
  observer.observe(document.body, { subtree: true, attributeFilter: ["disabled", "class"] });
  document.addEventListener("focusin", remember);
  document.addEventListener("pointerdown", forget);
  return () => {
    observer.disconnect();
    document.removeEventListener("focusin", remember);
    document.removeEventListener("pointerdown", forget);
  };
}
