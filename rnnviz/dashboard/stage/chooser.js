// Which two of more views are seen: a button for each, above the pictures.

function chooserTool(model, views) {
  const bar = element("div", "rnnviz-chooser", { role: "group", "aria-label": model.get("texts").choose });
  const update = () => {
    const [shown, all] = [model.get("shown"), model.get("frame").views ?? []];
    bar.hidden = all.length < 3;
    all.forEach(({ name, label }, k) => {
      const see = () => model.send({ kind: "see", view: name });
      if (!bar.children[k]) bar.append(button(label, see));
      const isSeen = !shown.length || shown.includes(name);
      updateAttribute(bar.children[k], "aria-pressed", isSeen);
      const figure = [...views.children].find(({ dataset }) => dataset.view === name);
      if (figure) figure.hidden = !isSeen;
    });
  };
  model.on("change:shown", update);
  return { bar, update };
}
