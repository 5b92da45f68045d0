/* The explorer of the first page: what one head of the pocket model looks at, and what comes next.
 *
 * All numbers were computed beforehand (website/explorer.py) and stand in window.EXPLORED, all
 * sentences in window.WORDS; nothing is fetched. A token's attention goes to itself and to what stands before it.
 */
(() => {
  const { layers, heads, sentences } = window.EXPLORED;
  const words = window.WORDS;
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
    return say(words.percent, { number: (thousandth / 10).toFixed(thousandth < 100 ? 1 : 0) });
  }

  function say(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (_found, name) => values[name]);
  }

  function choices(name, offered, chosen, choose) {
    const labels = offered.map((word, place) => {
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
      choices(words.token, sentences[state.sentence].tokens, state.query, (place) => {
        state.query = place;
        show();
      }),
    );
  }

  const numbers = (count) => [...Array(count).keys()].map(String);
  const pickers = make("div", { className: "two" }, [
    make("div", {}, [
      choices(words.layer, numbers(layers), state.layer, (place) => ((state.layer = place), show())),
    ]),
    make("div", {}, [
      choices(words.head, numbers(heads), state.head, (place) => ((state.head = place), show())),
    ]),
  ]);
  const off = make("input", { type: "checkbox", id: "explorer-off" });
  off.addEventListener("change", () => ((state.off = off.checked), show()));
  const switchOff = make("p", {}, [off, make("label", { htmlFor: off.id, textContent: words.off })]);

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
          say(words.looks, { token }),
          "looks",
          weights.map((weight, key) => [seen.tokens[key], weight, key === state.query && "query"]),
        ),
      ]),
      make("div", {}, [bars(say(words.next, { token }), "next", next)]),
    );
    const most = weights.indexOf(Math.max(...weights));
    said.textContent = say(state.off ? words.said_off : words.said, {
      layer: state.layer,
      head: state.head,
      token,
      share: percent(weights[most]),
      key: seen.tokens[most],
      next: next[0][0],
      chance: percent(next[0][1]),
      before: all[0][0],
      chance_before: percent(all[0][1]),
    });
  }

  chooseToken();
  root.replaceChildren(
    make("label", { className: "name", htmlFor: sentence.id, textContent: words.sentence }),
    sentence,
    tokens,
    pickers,
    switchOff,
    said,
    pictures,
  );
  show();
})();
