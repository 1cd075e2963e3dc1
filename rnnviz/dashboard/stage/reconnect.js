// What was on its way when a connection broke is lost, and ipywidgets would wait for its answer for ever.

// Asks the kernel for a control's state; resolves when it has answered everything up to this.
function askForState(model) {
  return new Promise((resolve) => {
    const callbacks = model.callbacks();
    const status = ({ content }) => content.execution_state === "idle" && resolve();
    model.comm.send({ method: "request_state" }, { ...callbacks, iopub: { ...callbacks.iopub, status } });
  });
}

// The values that the kernel has not confirmed, control by control.
function unconfirmed(models) {
  const waiting = models.filter((model) => model._pending_msgs > 0);
  return waiting.map((model) => {
    const names = [...model._expectedEchoMsgIds.keys(), ...Object.keys(model._msg_buffer ?? {})];
    return [model, Object.fromEntries(names.map((name) => [name, model.get(name)]))];
  });
}

// Fetches what was missed and sends again what was lost, if the connection is there again.
async function catchUp(model) {
  const models = await Promise.all(Object.values(model.widget_manager._models));
  const stage = models.find((each) => each.comm && each.get("frame") === model.get("frame"));
  const lost = unconfirmed(models);
  await askForState(stage); // before its answer comes what the server has kept for this page
  for (const [control, values] of lost.filter(([each]) => each._pending_msgs > 0)) {
    Object.assign(control, { _pending_msgs: 0, _msg_buffer: null });
    control._expectedEchoMsgIds.clear();
    control.save(values, { patch: true });
  }
  if (lost.length) await askForState(stage);
}

// Catches up each time the connection is there again, and says so to the page around the stage.
function followConnection(model) {
  const kernel = model.widget_manager?.kernel;
  if (!kernel?.connectionStatusChanged) return () => {};
  let isLost = false;
  const follow = async (_, status) => {
    const isBack = isLost && status === "connected";
    isLost = status !== "connected";
    if (!isBack) return;
    await catchUp(model);
    document.dispatchEvent(new CustomEvent("rnnviz-connected"));
  };
  const hurry = () => isLost && kernel.reconnect(); // JupyterLab waits ever longer, and gives up after two minutes
  kernel.connectionStatusChanged.connect(follow);
  document.addEventListener("rnnviz-reachable", hurry);
  return () => {
    kernel.connectionStatusChanged.disconnect(follow);
    document.removeEventListener("rnnviz-reachable", hurry);
  };
}
