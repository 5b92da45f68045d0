"""The explorer's controls and pictures: what changes when one of them is moved."""

import asyncio
import contextlib
import html

import ipywidgets
import numpy as np
from IPython.display import display, update_display

from illustrated_attention.figures.needs import NotDrawn
from illustrated_attention.figures.words import token_label
from illustrated_attention.language import _, labelled, later, listed
from illustrated_attention.widgets.attention_steps import Switches
from illustrated_attention.widgets.drawing import page_style, stacked
from illustrated_attention.widgets.explored import LONGEST, SENTENCES, Model, Recorded
from illustrated_attention.widgets.explorer_picture import Scene, drawings, in_words
from illustrated_attention.widgets.live import Live

WORDS = 6  # next words that are shown
PAUSE = 0.5  # seconds
_RADIO_BUTTONS_LIE = hasattr(ipywidgets.RadioButtons, "orientation")  # since ipywidgets 8.1
EDITABLE = 4  # a query with so many numbers can be typed
STYLE = (
    ".explorer,.explorer .widget-hbox{gap:4px 16px}"
    ".explorer .widget-radio-box{display:flex;flex-wrap:wrap;gap:4px;margin:0!important}"
    ".explorer .widget-radio{width:auto!important;height:auto!important;overflow:visible}"
    ".explorer .widget-radio{display:flex;flex-direction:row;align-items:flex-start;"
    "max-width:100%}.explorer .widget-radio>.widget-label{flex:none;width:52px}"
    ".explorer .widget-radio-box label{display:flex;align-items:center;gap:2px;height:auto;"
    "position:relative;min-height:24px;width:auto;padding:1px 7px;border-radius:4px;"
    "border:1px solid var(--x-line);"
    "color:var(--x-ink);font-size:13px;line-height:18px;cursor:pointer;margin:0}"
    ".explorer .widget-radio-box label:has(:checked){border-color:var(--x-query);"
    "outline:1px solid var(--x-query);font-weight:bold}"
    ".explorer .widget-radio-box label:has(:focus-visible){outline:3px solid var(--x-query);"
    "outline-offset:1px}"
    ".explorer input[type=radio]{position:absolute;opacity:0;margin:0}"
    ".explorer .noUi-handle:focus-visible{outline:3px solid var(--x-query);outline-offset:2px}"
    ".explorer .pictures{display:flex;flex-wrap:wrap;gap:8px 24px;overflow-x:auto}"
    ".explorer .pictures svg{flex:none}.explorer .said{color:var(--x-ink);line-height:1.4;"
    "max-width:46em;white-space:normal}"
)


class Undrawn(Live):
    """What there is of an explorer while grading: it has asked the functions, and shows nothing.

    The controls, which nobody moves there, are most of its work.
    """

    def __init__(self, seen, first):
        layer, head, query = first
        seen.steps(layer, head, Switches(), query)  # what is wrong is told in the cell
        seen.next_words(query, Switches())
        words = _("This figure is drawn in your notebook.")
        super().__init__([], (html.escape(words), words))


class Explorer(Live):
    """Controls, the pictures of one query, and the same in words.

    Parameters
    ----------
    seen : Arrays, Model or Recorded
    table : ndarray, [T, T], or None
    first : (int, int, int)
        Layer, head and query to begin with.
    """

    note = later("The explorer as it was left. To bring it to life, run this cell.")

    def __init__(self, seen, table, first):
        self.seen, self.table, self.off, self.shown = seen, table, set(), None
        self.later = None
        layer, head, query = first
        self.layer = _choice(_("layer"), [str(i) for i in range(seen.n_layer)], layer, "layer")
        self.head = _choice(_("head"), [str(i) for i in range(seen.n_head)], head, "head")
        labels = _labels(seen.tokens)
        self.query = _choice(_("query"), labels, query, "query")
        self.key = _choice(_("key"), labels, query, "key")
        self.mask = _switch(_("mask"))
        self.scale = _switch(_("scale"))
        self.head_on = _switch(_("this head"))
        self.root = self._root()
        stops = np.logspace(-1.5, 1.5, 301)
        # The root itself is one of them, in place of what comes too close to it.
        divisors = sorted([self.root, *stops[abs(np.log(stops / self.root)) > 0.005]])
        self.divisor = ipywidgets.SelectionSlider(
            options=[(f"{divisor:.3g}", float(divisor)) for divisor in divisors],
            value=self.root,
            description=_("divide by"),
            layout=ipywidgets.Layout(width="330px", max_width="100%"),
        )
        self.sentence = self._sentence()
        self.numbers = [
            ipywidgets.Text(
                continuous_update=False,
                layout=ipywidgets.Layout(width="275px"),
                style={"description_width": "100px"},  # "query: orders" in full
            )
            for _part in ("q", "k")
        ]
        self.picture, self.said = ipywidgets.HTML(), ipywidgets.HTML()
        self.said.add_class("explorer-said")
        style = ipywidgets.HTML(
            f"<style>{STYLE}{page_style(LONGEST)}</style>",
            layout=ipywidgets.Layout(display="none"),
        )
        self._quiet = False
        self.key.index = self._largest()  # what is wrong is told in the cell, not in a widget
        scene = self._scene()
        super().__init__([*self._controls(), self.picture, self.said, style], ("", ""))
        self.add_class("explorer")
        self._show(scene)
        for control in (self.layer, self.head, self.query, self.key):
            control.observe(self._moved, names="index")
        for control in (self.mask, self.scale, self.divisor, self.head_on):
            control.observe(self._switched, names="value")
        self.sentence.observe(self._read, names="value")
        for place, field in enumerate(self.numbers):
            field.observe(lambda change, place=place: self._typed(place), names="value")

    def _sentence(self):
        common = {
            "description": _("sentence"),
            "layout": ipywidgets.Layout(width="520px", max_width="100%"),
        }
        if isinstance(self.seen, Recorded):
            return ipywidgets.Dropdown(options=self.seen.sentences, **common)
        return ipywidgets.Combobox(
            value=getattr(self.seen, "text", ""),
            options=SENTENCES,
            ensure_option=False,
            continuous_update=False,
            **common,
        )

    def _controls(self):
        """Return what this explorer can change, and nothing else."""
        seen, rows = self.seen, []
        whole = isinstance(seen, Model)
        if whole or isinstance(seen, Recorded):
            rows.append(self.sentence)
        rows += [self.query, self.key]
        places = [c for c, n in ((self.layer, seen.n_layer), (self.head, seen.n_head)) if n > 1]
        if places:
            rows.append(_beside(places))
        if isinstance(seen, Recorded):
            return rows
        switches = [self.divisor]
        if whole or seen.layers is not None:
            switches.insert(0, self.scale)
        if "causal_mask" in seen.functions:
            switches.insert(0, self.mask)
        if whole:
            switches.append(self.head_on)
        rows.append(_beside(switches))
        if self._editable():
            rows.append(_beside(self.numbers))
        return rows

    def _editable(self):
        arrays = getattr(self.seen, "layers", None)
        return arrays is not None and arrays[0][0].shape[-1] <= EDITABLE and not self.seen.cached

    def _root(self):
        """Return the divisor that belongs here: the root of d, or 1 where scores are given."""
        if isinstance(self.seen, Recorded):
            return self.seen.root
        if isinstance(self.seen, Model):
            return (self.seen.model.config["n_embd"] / self.seen.n_head) ** 0.5
        return 1.0 if self.seen.layers is None else self.seen.layers[0][0].shape[-1] ** 0.5

    def _switches(self):
        divisor = self.divisor.value if self.scale.value else 1.0
        return Switches(
            None if divisor == self.root else divisor, self.mask.value, frozenset(self.off)
        )

    def _steps(self, switches):
        return self.seen.steps(self.layer.index, self.head.index, switches, self.query.index)

    def _largest(self):
        """Return the key from which the query takes most: there is something to see."""
        return int(np.argmax(self._steps(self._switches()).weights[self.query.index]))

    def _scene(self):
        seen, query, switches = self.seen, self.query.index, self._switches()
        steps = self._steps(switches)
        off = listed(
            _("layer {layer} head {head}").format(layer=a, head=b) for a, b in sorted(self.off)
        )
        return Scene(
            seen.tokens,
            steps,
            query,
            self.key.index,
            seen.cached,
            self._next_words(query, switches),
            self.table,
            _("Off: {heads}.").format(heads=off) if off else "",
            (self.layer.index, self.head.index) in self.off,
        )

    def _next_words(self, query, switches):
        now = self.seen.next_words(query, switches)
        if now is None:
            return []
        before = self.seen.next_words(query, Switches())
        shown = {*np.argsort(-now)[: WORDS - 2], *np.argsort(-before)[:2]}
        likeliest = sorted(shown, key=lambda i: -now[i])
        words = self.seen.words(likeliest)
        return [
            (word, float(now[i]), float(before[i]))
            for word, i in zip(words, likeliest, strict=True)
        ]

    def _show(self, scene):
        pieces, words = drawings(scene), in_words(scene)
        inner = "".join(piece.inline() for piece in pieces)
        self.picture.value = f'<div class="pictures">{inner}</div>'
        self.said.value = f'<div class="said">{html.escape(words)}</div>'
        self.pictures = (stacked(pieces).image(words), words)
        if self._editable():
            self._quiet = True
            layer = self.seen.layers[self.layer.index]
            for field, part, name, place in zip(
                self.numbers, layer, (_("query"), _("key")), (scene.query, scene.key), strict=False
            ):
                field.description = labelled(name, self.seen.tokens[place])
                field.value = ", ".join(f"{x:g}" for x in part[self.head.index][place])
            self._quiet = False
        if self.shown:
            self._keep_soon()

    def _keep_soon(self):
        """Store the picture in the notebook when the learner pauses: each step is faster then."""
        if self.later:
            self.later.cancel()
        with contextlib.suppress(RuntimeError):  # no loop: not in a kernel
            self.later = asyncio.get_running_loop().call_later(PAUSE, self._keep)

    def _keep(self):
        update_display(self._repr_mimebundle_(), display_id=self.shown, raw=True)

    def _try(self):
        """Show what is set now, or say in one sentence why it cannot be shown."""
        try:
            self._show(self._scene())
        except NotDrawn as wrong:
            self._complain(wrong)

    def _complain(self, wrong):
        self.said.value = f'<div class="said"><strong>{html.escape(str(wrong))}</strong></div>'

    def _moved(self, _change):
        if self._quiet:
            return
        self._quiet = True
        self.head_on.value = (self.layer.index, self.head.index) not in self.off
        self._quiet = False
        self._try()

    def _switched(self, change):
        if self._quiet:
            return
        if change.owner is self.head_on:
            self.off ^= {(self.layer.index, self.head.index)}
        self.divisor.disabled = not self.scale.value
        self._try()

    def _read(self, change):
        try:
            self.seen.read(change.new)
        except NotDrawn as wrong:
            return self._complain(wrong)
        self._quiet = True
        labels = _labels(self.seen.tokens)
        for control in (self.query, self.key):
            control.options = labels
            control.index = len(labels) - 1
        with contextlib.suppress(NotDrawn):  # it is told when the picture is tried
            self.key.index = self._largest()
        self._quiet = False
        return self._try()

    def _typed(self, place):
        if self._quiet:
            return
        field = self.numbers[place]
        part = self.seen.layers[self.layer.index][place][self.head.index]
        try:
            row = np.array([float(x) for x in field.value.replace(",", " ").split()])
        except ValueError:
            row = np.array([np.nan])
        if row.shape != part.shape[1:] or not np.isfinite(row).all():
            text = _("Type {count} numbers, such as {example}.")
            example = listed(["1", "0.5", "-0.5", "2"][: part.shape[1]])
            self._complain(NotDrawn(text.format(count=part.shape[1], example=example)))
            return
        part[self.query.index if place == 0 else self.key.index] = row
        self._try()

    def _ipython_display_(self):
        self.shown = f"explorer-{self.model_id}"
        display(self._repr_mimebundle_(), raw=True, display_id=self.shown)


def _choice(name, labels, index, kind):
    """Return radio buttons in a row; the extension joins them, so that arrow keys move."""
    beside = {"orientation": "horizontal"} if _RADIO_BUTTONS_LIE else {}  # else by STYLE alone
    choice = ipywidgets.RadioButtons(options=labels, index=index, description=name, **beside)
    choice.add_class(f"explorer-{kind}")
    return choice


def _switch(name):
    return ipywidgets.Checkbox(
        value=True, description=name, indent=False, layout=ipywidgets.Layout(width="auto")
    )


def _beside(controls):
    return ipywidgets.HBox(controls, layout=ipywidgets.Layout(flex_flow="row wrap"))


def _labels(tokens):
    """Return the tokens as they are chosen: numbered where one comes twice."""
    return [
        f"{token_label(token)} ({place})" if tokens.count(token) > 1 else token_label(token)
        for place, token in enumerate(tokens)
    ]
