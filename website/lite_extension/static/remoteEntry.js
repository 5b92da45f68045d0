/* JupyterLite loads this file as it is: there is nothing to build.
 *
 * Without a server, work is kept in this browser only, and nothing can be handed in by a button of
 * nbgrader's. So this says loudly where the work is, and puts a button above each notebook that
 * downloads it under the name by which an instructor's zip_collect knows whose it is:
 * ada+01_self_attention.ipynb.
 */
(window._JUPYTERLAB = window._JUPYTERLAB || {})["illustrated-attention-lite"] = (() => {
  const KEPT_HERE = "Your work is kept in this browser only. Download it when you stop.";
  const WHO = "illustrated-attention:who";
  const ALLOWED = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

  let shared = null;

  async function module(name) {
    const versions = Object.values(shared[name]);
    return (await versions[0].get())();
  }

  function download(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async function handIn({ InputDialog, Notification }, panel) {
    const asked = await InputDialog.getText({
      title: "Download to hand in",
      label:
        "Your name or id, as your instructor knows it: letters, digits, dots, hyphens and " +
        "underscores.",
      text: localStorage.getItem(WHO) ?? "",
      okLabel: "Download",
    });
    if (!asked.button.accept) return;
    const who = (asked.value ?? "").trim();
    if (!ALLOWED.test(who)) {
      Notification.error(
        "Nothing was downloaded: write your name with letters, digits, dots, hyphens and " +
          "underscores only, such as ada or ada.lovelace.",
        { autoClose: false },
      );
      return;
    }
    localStorage.setItem(WHO, who);
    await panel.context.save();
    const name = who + "+" + panel.context.path.split("/").pop();
    download(name, JSON.stringify(panel.context.model.toJSON(), null, 1) + "\n");
    Notification.success(name + " was downloaded. Give this file to your instructor.");
  }

  return {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const notebook = await module("@jupyterlab/notebook");
      const apputils = await module("@jupyterlab/apputils");
      const plugin = {
        id: "illustrated-attention-lite:plugin",
        autoStart: true,
        requires: [notebook.INotebookTracker],
        activate: (app, tracker) => {
          app.restored.then(() =>
            apputils.Notification.warning(KEPT_HERE, { autoClose: false }),
          );
          const offer = (_, panel) =>
            panel.toolbar.insertItem(
              10,
              "hand-in",
              new apputils.ToolbarButton({
                label: "Download to hand in",
                tooltip: "Download this notebook under your name",
                onClick: () => handIn(apputils, panel),
              }),
            );
          tracker.forEach((panel) => offer(null, panel));
          tracker.widgetAdded.connect(offer);
        },
      };
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
