"""The widgets of a dashboard without a browser: found by their labels, as a reader of the page finds them."""

import re

import ipywidgets
from pages import everything_in


def named(page, label, kind):
    (found,) = [each for each in everything_in(page) if isinstance(each, kind) and each.description == label]
    return found


def button(page, label):
    return named(page, label, ipywidgets.Button)


def control(page, label):
    return named(page, label, ipywidgets.ValueWidget)


def controls(page):
    """Return the controls that set what is drawn, without those of the page itself."""
    kinds = (
        ipywidgets.Dropdown,
        ipywidgets.Checkbox,
        ipywidgets.Textarea,
        ipywidgets.IntSlider,
        ipywidgets.FloatSlider,
    )
    return [each for each in everything_in(page) if isinstance(each, kinds)]


def of_class(page, name):
    return [each for each in everything_in(page) if name in getattr(each, "_dom_classes", ())]


def text_of(widget):
    """Return the words of all HTML in a widget."""
    found = [each.value for each in everything_in(widget) if isinstance(each, ipywidgets.HTML)]
    return " ".join(re.sub("<[^>]*>", "", each) for each in found).strip()


def look(page):
    """Return the sentence that says what to look at."""
    return text_of(of_class(page, "rnnviz-look")[0])


def marked(page):
    """Return the labels of the controls marked as changed; the row of schemes to compare with has none."""
    return {getattr(each, "description", "Compare with") for each in of_class(page, "rnnviz-changed")}


def chosen(page):
    return [each.description for each in of_class(page, "rnnviz-chosen")]


def sentences(page):
    return [word["text"] for word in page.stage.frame["words"]]
