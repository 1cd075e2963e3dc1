"""Importing this module shows a page once, for a process that waits to become a kernel or is forked into many."""

import ipywidgets as widgets

from ..views.canvas import DRAWN_AHEAD
from .app import Dashboard
from .memory import give_back

page = Dashboard()  # the first notebook's
drawn = {canvas.view: canvas.figures for canvas in page.pictures.canvases.values()}
page.close()
DRAWN_AHEAD.update(drawn)
del page
widgets.Widget.close_all()
widgets.register_comm_target()  # when it was imported, there was no kernel
give_back()
