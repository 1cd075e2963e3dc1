"""Importing this module shows a page once, for a process that waits to become a kernel or is forked into many."""

from typing import Any

import comm
import ipywidgets as widgets
from ipykernel.comm.comm import BaseComm
from ipykernel.kernelbase import Kernel

from ..views.canvas import DRAWN_AHEAD
from .app import Dashboard
from .memory import give_back


class PageComm(BaseComm):
    """A widget's line to its page, on which nothing is sent before the page asks for the state of all widgets.

    Otherwise the 400 messages of a page that is being built, which reach no page, are two thirds of the server's work.
    """

    is_read = False  # by the server, which collects an output widget's texts and pictures while the cells run

    def publish_msg(self, msg_type: str, data: Any = None, *rest: Any, **more: Any) -> None:
        if msg_type == "comm_open" and data:
            self.is_read = data.get("state", {}).get("_model_name") == "OutputModel"
        if self.is_read or widgets.Widget._control_comm is not None:
            super().publish_msg(msg_type, data, *rest, **more)
        else:
            self.kernel = Kernel.instance()  # widgets let a comm without a kernel rest for good


page = Dashboard()  # the first notebook's
drawn = {canvas.view: canvas.figures for canvas in page.pictures.canvases.values()}
page.close()
DRAWN_AHEAD.update(drawn)
del page
widgets.Widget.close_all()
widgets.register_comm_target()  # when it was imported, there was no kernel
comm.create_comm = PageComm
give_back()
