// The teacher's page follows its class by itself, and copies the link.
(() => {
  "use strict";
  const PAUSE = 2000; // ms
  const live = document.getElementById("rnnviz-live");
  const silent = document.getElementById("rnnviz-silent");
  let shown = "";

  async function follow() {
    try {
      const answer = await fetch(live.dataset.source, { cache: "no-store" });
      const text = await answer.text();
      silent.hidden = answer.ok;
      if (answer.ok && text !== shown) {
        const focused = live.contains(document.activeElement) ? document.activeElement.className : "";
        live.innerHTML = shown = text;
        if (focused) live.getElementsByClassName(focused)[0]?.focus();
      }
    } catch {
      silent.hidden = false;
    }
    setTimeout(follow, PAUSE);
  }

  // A page at an address that is not this computer's own has no clipboard: there the link is selected.
  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.link);
      button.textContent = button.dataset.done;
    } catch {
      getSelection().selectAllChildren(live.querySelector(".rnnviz-address a"));
    }
  }

  live.addEventListener("click", ({ target }) => target.matches(".rnnviz-copy") && copy(target));
  follow();
})();
