"""The dashboard: the only rooms that know ipywidgets."""

from .app import Dashboard

__all__ = ["Dashboard"]
