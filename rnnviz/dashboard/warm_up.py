"""Importing this module shows a page once, for a process that waits to become a kernel or is forked into many."""

import ipywidgets as widgets

from .app import Dashboard
from .memory import give_back

Dashboard("state", "gradient", hidden_size=8, seq_len=8, batch_size=4, seeds=2).close()
widgets.Widget.close_all()
widgets.register_comm_target()  # when it was imported, there was no kernel
give_back()
