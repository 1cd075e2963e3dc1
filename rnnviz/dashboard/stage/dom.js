// Helpers for elements, reserved room, the clipboard and downloads.

const SVG = "http://www.w3.org/2000/svg";

// Fills the {names} in one of the kernel's texts.
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function element(name, className, attributes = {}) {
  const node = document.createElement(name);
  if (className) node.className = className;
  return setAttributes(node, attributes);
}

function drawing(name, attributes) {
  return setAttributes(document.createElementNS(SVG, name), attributes);
}

function button(text, act, label) {
  const node = element("button", "rnnviz-button", { type: "button" });
  node.textContent = text;
  if (label) node.setAttribute("aria-label", label);
  node.addEventListener("click", act);
  return node;
}

// Appends a text whose numbers are not broken where they have a minus, as in 2e-1015.
function appendText(node, text) {
  text.split(/(\S*\de-\d\S*)/).forEach((part, k) => {
    const number = k % 2 ? element("span", "rnnviz-number") : null;
    number?.append(part);
    node.append(number ?? part);
  });
  return node;
}

// Setting an attribute invalidates styles even if its value stays the same; `lang` does so for the whole subtree.
function updateAttribute(node, name, value) {
  if (node && node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// Text keeps the height that it, or the `old` node, once needed for the same number of items, so that nothing moves.
// Measured in a ResizeObserver, after layout: measuring earlier would force a second layout.
const heights = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const width = String(Math.round(contentRect.width));
    if (target.dataset.width !== width) target.style.minHeight = "";
    target.dataset.width = width;
    target.style.minHeight = `${target.offsetHeight}px`;
  }
});

function keepHeight(node, items, old = node) {
  node.dataset.width = old.dataset.width ?? "";
  node.style.minHeight = old.dataset.items === String(items) ? old.style.minHeight : "";
  node.dataset.items = items;
  heights.observe(node);
}

// Copies a text to the clipboard; if the browser refuses, `select` selects it for the reader to copy.
async function copyText(text, select) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    select();
    return false;
  }
}

function download(name, type, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = element("a", "", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
