// Messages, progress and exports around the pictures.

// Buttons for the data and the code, which the kernel sends on request, as it does the pictures' files.
function exportTool(model, tools) {
  const texts = model.get("texts");
  const panel = element("div", "rnnviz-code");
  panel.hidden = true;
  const code = element("pre", "", { tabindex: 0, "aria-label": texts.code });
  const status = element("span", "rnnviz-said", { role: "status" });
  const copy = button(texts.copy_code, async () => {
    const copied = await copyText(code.textContent, () => getSelection().selectAllChildren(code));
    status.textContent = copied ? texts.code_copied : texts.code_selected;
  });
  const menu = codeMenu(model, () => ask());
  const ask = () => model.send({ kind: menu.value });
  const show = button(texts.show_code, () => {
    panel.hidden = !panel.hidden;
    show.setAttribute("aria-expanded", !panel.hidden);
    if (!panel.hidden) ask();
  });
  show.setAttribute("aria-expanded", false);
  const weights = button(texts.weights, () => model.send({ kind: "npz" }));
  panel.append(menu, code, copy, weights, status);
  // Before the link's status text, which would push them aside.
  const slide = button(texts.slide, () => model.send({ kind: "slide" }));
  tools.firstChild.after(slide, button(texts.data, () => model.send({ kind: "csv" })), show);
  model.on("change:query", () => panel.hidden || ask());
  model.on("msg:custom", (message, buffers) => {
    if (message.kind === "code") code.textContent = message.text;
    if (message.kind === "file") download(message.name, message.type, buffers[0]);
  });
  return panel;
}

// For a fault in the program: a button that copies an error report for its maintainers.
function reportTool(model) {
  const texts = model.get("texts");
  const status = element("span", "rnnviz-said", { role: "status" });
  const report = element("pre", "", { tabindex: 0, "aria-label": texts.report });
  const copy = button(texts.copy_report, async () => {
    report.hidden = await copyText(report.textContent, () => {
      report.hidden = false;
      getSelection().selectAllChildren(report);
    });
    status.textContent = report.hidden ? texts.report_copied : texts.report_selected;
  });
  const update = () => {
    report.textContent = model.get("report");
    status.textContent = "";
    report.hidden = true;
    copy.hidden = !report.textContent;
  };
  model.on("change:report", update);
  update();
  return [copy, status, report];
}

// A progress bar for a long computation, and a button that stops it.
function progressTool(model) {
  const texts = model.get("texts");
  const tool = element("div", "rnnviz-progress");
  const bar = element("progress", "", { max: 1 });
  const words = element("span");
  tool.append(bar, button(texts.stop, () => model.send({ kind: "stop" }), texts.stop_computing), words);
  const update = () => {
    const { share, text } = model.get("progress");
    tool.classList.toggle("rnnviz-silent", share === undefined);
    if (share === undefined) return;
    bar.value = share;
    bar.setAttribute("aria-label", text);
    words.textContent = text;
  };
  model.on("change:progress", update);
  update();
  return tool;
}

// What the kernel reports about errors and links; also marks the stage while its pictures belong to older settings.
function messageTool(model, el) {
  const box = element("div", "rnnviz-told");
  const message = element("p", "rnnviz-message", { role: "alert" });
  box.append(message, ...reportTool(model));
  const update = () => {
    const text = [model.get("message"), model.get("notice")].filter(Boolean).join(" ");
    if (message.textContent !== text) message.textContent = text;
    el.classList.toggle("rnnviz-stale", model.get("busy"));
    // Only while something is computed: after a stop the pictures stay old, and screen readers would hold back the
    // message.
    updateAttribute(el, "aria-busy", model.get("busy") && model.get("progress").share !== undefined);
  };
  model.on("change:message change:notice change:busy change:progress", update);
  update();
  return box;
}
