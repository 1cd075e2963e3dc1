// The page of a student who has to wait: asks now and then whether there is a place, and opens the notebook then.
(() => {
  "use strict";
  const { place } = document.currentScript.dataset;
  const PAUSE = 4000; // ms, and up to a half more, so that a class does not ask all at once

  async function ask() {
    try {
      const answer = await fetch(place + location.search, { cache: "no-store" });
      if (answer.ok && (await answer.json()).free) {
        location.reload();
        return;
      }
    } catch {
      // The server may come back.
    }
    setTimeout(ask, PAUSE * (1 + Math.random() / 2));
  }

  setTimeout(ask, PAUSE * (1 + Math.random() / 2));
})();
