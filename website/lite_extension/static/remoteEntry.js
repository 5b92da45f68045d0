/* JupyterLite loads this file as it is: there is nothing to build.
 *
 * Without a server, work is kept in this browser only, and nothing can be handed in by a button of
 * nbgrader's. So this says loudly where the work is, and puts a button above each notebook that
 * downloads it under the name by which an instructor's zip_collect knows whose it is:
 * ada+01_self_attention.ipynb. What it says stands in the page's settings (website/lite.py), in
 * the language of each folder of lessons.
 */
(window._JUPYTERLAB = window._JUPYTERLAB || {})["illustrated-attention-lite"] = (() => {
  const WHO = "illustrated-attention:who";
  const ALLOWED = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

  let shared = null;

  async function module(name) {
    const versions = Object.values(shared[name]);
    return (await versions[0].get())();
  }

  function said(PageConfig, path) {
    const words = JSON.parse(PageConfig.getOption("handInWords"));
    const folders = Object.keys(words).filter((folder) => path.startsWith(folder));
    return words[folders.sort((one, other) => one.length - other.length).pop()];
  }

  function download(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async function handIn({ InputDialog, Notification }, panel, words) {
    const asked = await InputDialog.getText({
      title: words.button,
      label: words.who,
      text: localStorage.getItem(WHO) ?? "",
      okLabel: words.download,
    });
    if (!asked.button.accept) return;
    const who = (asked.value ?? "").trim();
    if (!ALLOWED.test(who)) {
      Notification.error(words.refused, { autoClose: false });
      return;
    }
    localStorage.setItem(WHO, who);
    await panel.context.save();
    const name = who + "+" + panel.context.path.split("/").pop();
    download(name, JSON.stringify(panel.context.model.toJSON(), null, 1) + "\n");
    Notification.success(words.done.replace("{name}", name));
  }

  return {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const notebook = await module("@jupyterlab/notebook");
      const apputils = await module("@jupyterlab/apputils");
      const { PageConfig } = await module("@jupyterlab/coreutils");
      const opened = new URLSearchParams(location.search).get("path") ?? "";
      const plugin = {
        id: "illustrated-attention-lite:plugin",
        autoStart: true,
        requires: [notebook.INotebookTracker],
        activate: (app, tracker) => {
          app.restored.then(() =>
            apputils.Notification.warning(said(PageConfig, opened).kept, { autoClose: false }),
          );
          const offer = (_, panel) => {
            const words = said(PageConfig, panel.context.path);
            panel.toolbar.insertItem(
              10,
              "hand-in",
              new apputils.ToolbarButton({
                label: words.button,
                tooltip: words.tip,
                onClick: () => handIn(apputils, panel, words),
              }),
            );
          };
          tracker.forEach((panel) => offer(null, panel));
          tracker.widgetAdded.connect(offer);
        },
      };
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
