/* The explorer of the first page: what one head of the pocket model looks at, and what comes next.
 *
 * All numbers were computed beforehand (website/explorer.py) and stand in window.EXPLORED; nothing
 * is fetched. A token's attention goes to itself and to what stands before it.
 */
(() => {
  const { layers, heads, sentences } = window.EXPLORED;
  const root = document.getElementById("explorer");
  const state = { sentence: 0, query: sentences[0].tokens.length - 1, layer: 0, head: 0, off: false };

  function make(kind, more = {}, children = []) {
    const node = document.createElement(kind);
    for (const [name, value] of Object.entries(more)) {
      if (name in node) node[name] = value;
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  function percent(thousandth) {
    return (thousandth / 10).toFixed(thousandth < 100 ? 1 : 0) + " %";
  }

  function choices(name, words, chosen, choose) {
    const labels = words.map((word, place) => {
      const input = make("input", { type: "radio", checked: place === chosen });
      input.name = "explorer-" + name;
      input.addEventListener("change", () => choose(place));
      return make("label", {}, [input, word]);
    });
    return make("fieldset", {}, [
      make("legend", { textContent: name }),
      make("div", { className: "choices" }, labels),
    ]);
  }

  function bars(caption, kind, rows) {
    const body = rows.map(([name, thousandth, mark]) => {
      const bar = make("div", { className: "bar" });
      bar.style.width = thousandth / 10 + "%";
      return make("tr", { className: mark ?? "" }, [
        make("th", { scope: "row", textContent: name }),
        make("td", {}, [bar]),
        make("td", { textContent: percent(thousandth) }),
      ]);
    });
    return make("table", { className: kind }, [
      make("caption", { textContent: caption }),
      make("tbody", {}, body),
    ]);
  }

  const sentence = make("select", { id: "explorer-sentence" });
  sentences.forEach((one, place) => sentence.append(new Option(one.text, place)));
  sentence.addEventListener("change", () => {
    state.sentence = Number(sentence.value);
    state.query = sentences[state.sentence].tokens.length - 1;
    chooseToken();
    show();
  });

  const tokens = make("div");
  function chooseToken() {
    tokens.replaceChildren(
      choices("Token", sentences[state.sentence].tokens, state.query, (place) => {
        state.query = place;
        show();
      }),
    );
  }

  const numbers = (count) => [...Array(count).keys()].map(String);
  const pickers = make("div", { className: "two" }, [
    make("div", {}, [
      choices("Layer", numbers(layers), state.layer, (place) => ((state.layer = place), show())),
    ]),
    make("div", {}, [
      choices("Head", numbers(heads), state.head, (place) => ((state.head = place), show())),
    ]),
  ]);
  const off = make("input", { type: "checkbox", id: "explorer-off" });
  off.addEventListener("change", () => ((state.off = off.checked), show()));
  const switchOff = make("p", {}, [off, make("label", { htmlFor: off.id, textContent: "Switch this head off" })]);

  const pictures = make("div", { className: "two" });
  const said = make("p", { role: "status" });

  function show() {
    const seen = sentences[state.sentence];
    const weights = seen.weights[state.layer][state.head][state.query];
    const all = seen.next[0][state.query];
    const next = seen.next[state.off ? 1 + state.layer * heads + state.head : 0][state.query];
    const token = seen.tokens[state.query];
    pictures.replaceChildren(
      make("div", {}, [
        bars(
          `What “${token}” looks at`,
          "looks",
          weights.map((weight, key) => [seen.tokens[key], weight, key === state.query && "query"]),
        ),
      ]),
      make("div", {}, [bars(`After “${token}”, the model expects`, "next", next)]),
    );
    const most = weights.indexOf(Math.max(...weights));
    const where = `layer ${state.layer}, head ${state.head}`;
    said.textContent =
      `In ${where}, “${token}” gives ${percent(weights[most])} of its attention to ` +
      `“${seen.tokens[most]}”. ` +
      (state.off
        ? `With this head off, the model expects “${next[0][0]}” (${percent(next[0][1])}); ` +
          `with it, “${all[0][0]}” (${percent(all[0][1])}).`
        : `The model expects “${next[0][0]}” (${percent(next[0][1])}).`);
  }

  chooseToken();
  root.replaceChildren(
    make("label", { className: "name", htmlFor: sentence.id, textContent: "Sentence" }),
    sentence,
    tokens,
    pickers,
    switchOff,
    said,
    pictures,
  );
  show();
})();
