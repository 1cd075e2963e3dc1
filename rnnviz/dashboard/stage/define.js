// Definitions where a symbol, mark or control stands: on hover, focus and tap, taken from the glossary below the page.

const CONTROL = ".rnnviz-controls > .jupyter-widgets, .rnnviz-compare > .widget-checkbox";
const DEFINED = ".rnnviz-what, .rnnviz-controls .widget-label, .rnnviz-compare > .widget-checkbox, .rnnviz-choice label";

function whatButton(label, terms) {
  const node = element("button", "rnnviz-what", { type: "button", "aria-label": label, "aria-expanded": false });
  node.dataset.terms = terms.join("\n");
  node.textContent = "?";
  return node;
}

// The names under which the glossary defines what an element shows.
function namesOf(node) {
  if (node.dataset.terms) return node.dataset.terms.split("\n");
  const control = node.closest(CONTROL);
  const label = control?.querySelector(".widget-label:not([style*='none']), .widget-label-basic")?.textContent.trim();
  const chosen = control?.querySelector("select")?.value;
  const dot = control?.classList.contains("rnnviz-changed") ? "•" : undefined;
  return [label, chosen, dot].filter(Boolean);
}

// Copies of the glossary's lines on what an element shows; what a button does stands in its title.
function definitions(root, node) {
  const lines = [...root.querySelectorAll(".rnnviz-glossary [data-terms]")];
  const found = namesOf(node).map((name) => lines.find(({ dataset }) => dataset.terms.split("\n").includes(name)));
  if (!node.matches("button[title]")) return found.filter(Boolean).map((line) => line.cloneNode(true));
  const line = element("div");
  line.textContent = node.title;
  return [line];
}

// Puts a box beside a picture if there is room, else below an element or above it, within the window.
function placeBeside(box, node) {
  const [at, size] = [node.getBoundingClientRect(), box.getBoundingClientRect()];
  const picture = node.closest(".rnnviz-view")?.getBoundingClientRect();
  const [width, height] = [document.documentElement.clientWidth - 4, window.innerHeight - 4];
  let [left, top] = [at.left, at.bottom + 4];
  if (picture && picture.right + 4 + size.width <= width) [left, top] = [picture.right + 4, at.top];
  else if (picture && picture.left - size.width >= 8) [left, top] = [picture.left - size.width - 4, at.top];
  else if (top + size.height > height && at.top >= size.height + 8) top = at.top - size.height - 4;
  box.style.left = `${Math.max(4, Math.min(left, width - size.width))}px`;
  box.style.top = `${Math.max(4, Math.min(top, height - size.height))}px`;
}

// Shows the definitions of one element at a time, in the top layer, so that nothing moves. Returns a clean-up function.
function showDefinitions(page) {
  const box = element("div", "rnnviz-definition", { popover: "manual", role: "tooltip", id: `rnnviz-${Math.random()}` });
  const list = element("dl");
  box.append(list);
  let [shown, held, opening, pointer] = [null, false, undefined, "mouse"];
  const hide = () => {
    clearTimeout(opening);
    if (!shown) return;
    box.hidePopover?.();
    shown.removeAttribute("aria-describedby");
    if (shown.matches(".rnnviz-what")) shown.setAttribute("aria-expanded", false);
    [shown, held] = [null, false];
  };
  const show = (node, hold, focused) => {
    const lines = definitions(page(), node);
    hide();
    if (!lines.length) return;
    if (!box.isConnected) page().append(box);
    list.replaceChildren(...lines);
    box.showPopover?.();
    placeBeside(box, node);
    box.classList.toggle("rnnviz-passive", focused !== undefined); // a mouse reaches what it covers
    [shown, held] = [focused ?? node, hold];
    shown.setAttribute("aria-describedby", box.id);
    if (node.matches(".rnnviz-what")) node.setAttribute("aria-expanded", true);
  };
  const within = (target) => (page()?.contains(target) ? target.closest?.(DEFINED) : null);
  const listeners = {
    pointerover: ({ target, pointerType }) => {
      const node = pointerType === "mouse" ? within(target) : null;
      if (held || box.contains(target) || (node && node === shown)) return;
      clearTimeout(opening);
      node?.removeAttribute("title"); // the browser would show it too
      if (node) opening = setTimeout(() => show(node, false), shown ? 0 : 300);
      else if (shown && !shown.matches(":focus-visible")) opening = setTimeout(hide, 200);
    },
    focusin: ({ target }) => {
      if (held && target.closest(CONTROL)?.contains(shown)) return undefined; // a label hands on its click
      if (!page()?.contains(target) || !target.matches(":focus-visible")) return hide();
      const node = target.matches(".rnnviz-what, button[title]") ? target : target.closest(CONTROL);
      return node && !target.matches(".widget-readout") ? show(node, false, target) : hide();
    },
    pointerdown: ({ target, pointerType }) => {
      pointer = pointerType;
      if (!box.contains(target) && !within(target)) hide();
    },
    click: ({ target, detail }) => {
      const node = within(target);
      const chip = node?.matches(".widget-checkbox, .rnnviz-choice label") && (pointer === "mouse" || !detail);
      if (!node || chip || target.matches("input")) return;
      if (held && shown === node) hide();
      else show(node, true);
    },
    keydown: ({ key, target }) => {
      if (key === "Escape" || (key !== "Tab" && !target.matches?.(".rnnviz-what"))) hide();
    },
    scroll: ({ target }) => box.contains(target) || hide(),
  };
  for (const [name, act] of Object.entries(listeners)) document.addEventListener(name, act, true);
  return () => {
    for (const [name, act] of Object.entries(listeners)) document.removeEventListener(name, act, true);
    box.remove();
  };
}
