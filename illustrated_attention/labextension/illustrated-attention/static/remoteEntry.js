/* JupyterLab loads this file as it is: there is nothing to build.
 *
 * Two things are done in notebooks that use the course; all others are left alone.
 *
 * A kernel knows what was run, not what stands in the notebook now. So, right before a cell that
 * calls `check(` is run, the sources of all code cells are told to the kernel; there
 * illustrated_attention/notebook_state.py compares them with what was run. Nothing else is sent,
 * nothing leaves the machine on which the kernel runs.
 *
 * A widget of the course is stored as pictures; illustrated_attention/widgets/live.py says why.
 * While the kernel knows the widget, it is shown in their place, with names for its controls.
 */
(window._JUPYTERLAB = window._JUPYTERLAB || {})["illustrated-attention"] = (() => {
  const LIVE = "application/vnd.illustrated-attention.live+json";
  const VIEW = "application/vnd.jupyter.widget-view+json";
  const HTML = "text/html";
  const ENDED = ["restarting", "autorestarting", "terminating", "dead"];

  let shared = null;

  // One of JupyterLab's own modules, as JupyterLab itself uses it.
  async function module(name) {
    const versions = Object.values(shared[name]);
    return (await versions[0].get())();
  }

  function tell(notebook, kernel) {
    const cells = notebook.widgets
      .filter((cell) => cell.model.type === "code")
      .map((cell) => [cell.model.id, cell.model.sharedModel.getSource()]);
    if (!cells.some(([, source]) => source.includes("illustrated_attention"))) return;
    const told = JSON.stringify(JSON.stringify(cells));
    kernel.requestExecute({
      code:
        "__import__('sys').modules['illustrated_attention.notebook_state'].told(" + told + ")" +
        " if 'illustrated_attention.notebook_state' in __import__('sys').modules else None",
      silent: true,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
    });
  }

  function tellBeforeCheck(tracker, { NotebookActions }) {
    NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
      if (!/\bcheck\(/.test(cell.model.sharedModel.getSource())) return;
      const panel = tracker.find((one) => one.content === notebook);
      const kernel = panel?.sessionContext.session?.kernel;
      if (kernel) tell(notebook, kernel);
    });
  }

  // What ipywidgets leaves out: names that are read aloud, radio buttons that belong together (so
  // that arrow keys move among them), and words that are told when they change.
  function nameControls(node) {
    for (const label of node.querySelectorAll(".widget-label")) {
      const [row, name] = [label.parentElement, label.textContent];
      if (label.title === "null") label.removeAttribute("title"); // shown where the mouse rests
      const handle = row.querySelector(".noUi-handle");
      if (handle) {
        handle.setAttribute("aria-label", name);
        const readout = row.querySelector(".widget-readout");
        readout?.setAttribute("role", "textbox"); // one may type into it
        readout?.setAttribute("aria-label", name);
        const tell = () => {
          const told = readout?.textContent;
          if (told && handle.getAttribute("aria-valuetext") !== told)
            handle.setAttribute("aria-valuetext", told);
        };
        tell();
        if (readout && !handle.told) {
          handle.told = new MutationObserver(tell);
          handle.told.observe(readout, { childList: true, characterData: true, subtree: true });
          handle.told.observe(handle, { attributeFilter: ["aria-valuetext"] });
        }
      }
      const group = row.querySelector(":scope > .widget-radio-box");
      if (group) {
        group.setAttribute("role", "radiogroup");
        group.setAttribute("aria-label", name);
        group.id ||= "explorer-" + Math.random().toString(36).slice(2);
        for (const radio of group.querySelectorAll("input")) {
          radio.name = group.id;
          radio.dataset.lmSuppressShortcuts = "true"; // arrow keys are not the notebook's here
        }
      }
    }
    for (const said of node.querySelectorAll(".explorer-said, .slider-said"))
      said.setAttribute("aria-live", "polite");
  }

  // A click on a pair in the explorer's pictures chooses it, as its radio buttons do.
  function pressPair(event) {
    const pair = event.target.closest("[data-key]");
    const explorer = event.target.closest(".explorer");
    if (!pair || !explorer) return;
    for (const kind of ["query", "key"]) {
      const place = pair.dataset[kind];
      const radio = explorer.querySelectorAll(".explorer-" + kind + " input")[place];
      if (radio && !radio.checked) radio.click();
    }
  }

  function showLive(tracker, { Panel }) {
    class LiveOrPictures extends Panel {
      constructor(rendermime, sessionContext) {
        super();
        this.rendermime = rendermime;
        sessionContext.statusChanged.connect(this.kernelStatus, this);
        sessionContext.kernelChanged.connect(this.kernelChanged, this);
      }

      async renderModel(model) {
        // The explorer stores a new picture at each step; what lives goes on as it is.
        const id = model.data[LIVE].model_id;
        if (!this.gone && this.view?.widgets.length && id === this.model.data[LIVE].model_id) {
          this.model = model;
          const { trusted } = model;
          const data = { [HTML]: model.data[HTML] };
          await this.pictures.renderModel(this.rendermime.createModel({ data, trusted }));
          return;
        }
        for (const old of [...this.widgets]) old.dispose();
        this.model = model;
        this.gone = false;
        this.pictures = this.rendermime.createRenderer(HTML);
        await this.add(this.pictures, HTML, model.data[HTML]);
        await this.look();
      }

      // Look whether the kernel knows the widget: it is there at once, or soon when the page is
      // loaded again and the kernel goes on. If never, nothing tells.
      async look() {
        this.view?.dispose();
        this.factory = this.rendermime.getFactory(VIEW);
        if (this.factory) {
          this.view = this.rendermime.createRenderer(VIEW);
          const { node } = this.view;
          new MutationObserver(() => this.choose()).observe(node, { childList: true });
          new MutationObserver(() => nameControls(node)).observe(node, {
            childList: true,
            subtree: true,
          });
          node.addEventListener("click", pressPair);
          const tried = this.add(this.view, VIEW, this.model.data[LIVE]);
          await Promise.race([tried, new Promise((passed) => setTimeout(passed, 200))]);
        }
        this.choose();
      }

      async add(renderer, mime, data) {
        renderer.hide();
        this.addWidget(renderer);
        const { trusted } = this.model;
        await renderer.renderModel(this.rendermime.createModel({ data: { [mime]: data }, trusted }));
      }

      choose() {
        if (this.isDisposed) return;
        const lives = !this.gone && this.view?.widgets.length > 0;
        this.view?.setHidden(!lives);
        this.pictures.setHidden(lives);
      }

      kernelStatus(_, status) {
        if (ENDED.includes(status)) this.kernelGone();
        // ipywidgets brings its renderer later than the notebook its outputs.
        else if (this.pictures && this.factory !== this.rendermime.getFactory(VIEW)) this.look();
      }

      kernelChanged(_, { oldValue }) {
        if (oldValue) this.kernelGone(); // null: the page was loaded, the kernel may be the same
      }

      kernelGone() {
        this.gone = true;
        if (this.pictures) this.choose();
      }
    }

    function offer({ content, sessionContext }) {
      const { rendermime } = content;
      rendermime.addFactory(
        {
          safe: false,
          mimeTypes: [LIVE],
          createRenderer: () => new LiveOrPictures(rendermime, sessionContext),
        },
        -20, // before HTML
      );
    }
    tracker.forEach(offer);
    tracker.widgetAdded.connect((_, panel) => offer(panel));
  }

  return {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const notebook = await module("@jupyterlab/notebook");
      const widgets = await module("@lumino/widgets");
      const plugin = {
        id: "illustrated-attention:plugin",
        autoStart: true,
        requires: [notebook.INotebookTracker],
        activate: (app, tracker) => {
          tellBeforeCheck(tracker, notebook);
          showLive(tracker, widgets);
        },
      };
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
