// What a reader takes along: a picture in the clipboard, and the code for several libraries with its weights.

// Puts the kernel's picture of a view into the clipboard. Returns whether the browser lets a page do that; if not, the
// picture is saved as a file.
async function copyPicture(model, view) {
  const answer = new Promise((resolve) => {
    const take = (message, buffers) => {
      if (message.kind !== "copy") return;
      model.off("msg:custom", take);
      resolve({ ...message, bytes: buffers[0] });
    };
    model.on("msg:custom", take);
  });
  model.send({ kind: "copy", view });
  try {
    // The item takes a promise: after waiting for the kernel, the browser would no longer count the click.
    const png = answer.then(({ bytes, type }) => new Blob([bytes], { type }));
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    return true;
  } catch {
    const { name, type, bytes } = await answer;
    download(name, type, bytes);
    return false;
  }
}

// A button that copies the picture of a view, and says so: the tick to the eye, the sentence to a screen reader.
function copyButton(model, name, view) {
  const texts = model.get("texts");
  const status = element("span", "rnnviz-unseen", { role: "status" });
  const copy = button(
    texts.copy,
    async () => {
      const copied = await copyPicture(model, name);
      copy.style.minWidth = `${copy.offsetWidth}px`; // the others must not move
      copy.textContent = copied ? "✓" : "↓";
      status.textContent = copied ? texts.picture_copied : texts.picture_saved;
      setTimeout(() => {
        copy.textContent = texts.copy;
        status.textContent = "";
      }, 3000);
    },
    fill(texts.copy_picture, { view }),
  );
  return [copy, status];
}

// A menu of the libraries that the code may be for; `changed` asks for the code.
function codeMenu(model, changed) {
  const menu = element("select", "rnnviz-library", { "aria-label": model.get("texts").library });
  for (const [kind, label] of [["code", "rnnviz"], ["pytorch", "PyTorch"], ["keras", "Keras"]]) {
    const option = element("option", "", { value: kind });
    option.textContent = label;
    menu.append(option);
  }
  menu.addEventListener("change", changed);
  return menu;
}
