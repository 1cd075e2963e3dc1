"""All texts of a page, in both languages."""

import html
import re
from collections import Counter

import ipywidgets as widgets
from matplotlib.text import Text

from rnnviz.text.language import use

# Names and words that are the same in both languages.
SAME = (
    "Xavier|Glorot|He|Orthogonal|PyTorch|Keras|ReLU|RNN|LSTM|GRU|tanh|linear|Text|Gradient|one-hot|float\\d+|bfloat16"
    "|in float\\d+|in bfloat16|W_[a-z]+|b_[a-z]+|dL/dh|exp|softmax|softsign"
    "|ELU|SELU|GELU|leaky|SGD|RMSprop|Adagrad|Adam|Momentum|Pause|Problem|calculate_gain"
)
ENGLISH = (
    r"\b(the|of|and|is|are|its|at|to|from|by|with|not|no|or|step|steps|which)\b"  # words that do not exist in German
)


def worded(text):
    """Return whether a text has a word in it, apart from those shared by both languages."""
    rest = re.sub(rf"(?<![A-Za-z])(?:{SAME})(?![A-Za-z])|<[^>]*>", "", text)
    return re.search(r"[A-Za-z]{2}", rest) is not None


def said(dashboard):
    """Return all texts of a page, in order."""
    dashboard.stage.step = 3
    frame = dashboard.stage.frame
    controls = [text for widget in everything_in(dashboard) for text in labels(widget)]
    pictures = [text for canvas in dashboard.pictures.canvases.values() for text in texts_drawn(canvas)]
    spoken = [word["text"] for word in frame["words"]] + [view["alt"] for view in frame["views"]]
    stage = dashboard.stage
    return [*controls, *pictures, *spoken, *stage.moment, stage.notice, stage.message, *stage.texts.values()]


def everything_in(widget):
    return [widget, *(each for child in getattr(widget, "children", ()) for each in everything_in(child))]


def labels(widget):
    """Return the texts of one widget."""
    texts = [getattr(widget, name, None) or "" for name in ("description", "tooltip")]
    if isinstance(widget, widgets.HTML | widgets.Label):
        texts.append(re.sub(r"<[^>]*>", " ", widget.value))
    if isinstance(widget, widgets.Dropdown):
        texts += [label for label, _value in widget.options]
    return texts


def texts_drawn(canvas):
    """Return the texts in a view's last picture."""
    drawn = list(canvas.figures.values())[-1:]  # none of a view that could not be drawn
    return [text.get_text() for each in drawn for axes in each.figure.axes for text in axes.findobj(Text)]


def numbers(text, point):
    """Return how often each number occurs in a text."""
    return Counter(re.findall(rf"\d+(?:{re.escape(point)}\d+)?(?:e[-+]?\d+)?", html.unescape(text)))


def assert_same_in_german(english, german, case=""):
    """Check that the German texts have the same numbers as the English ones, and no English words."""
    assert len(english) == len(german), case
    assert any(map(worded, english)), case
    for mine, theirs in zip(english, german, strict=True):
        assert mine != theirs or not worded(mine), f"{mine!r} is the same in German"
        assert not re.search(ENGLISH, theirs), f"English words in {theirs!r}"
        assert not re.search(r"\d\.\d", theirs), f"a decimal point in {theirs!r}"
        assert {n.replace(",", "."): k for n, k in numbers(theirs, ",").items()} == numbers(mine, "."), (mine, theirs)


def in_both(say):
    """Return what ``say`` returns in English and in German."""
    both = []
    for lang in ("en", "de"):
        use(lang)
        both.append([str(text) for text in say()])
    return both
