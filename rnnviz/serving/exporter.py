"""Voila's exporter with compiled templates that are kept from one page to the next."""

from collections.abc import AsyncIterator
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from voila import notebook_renderer
from voila.exporter import VoilaExporter

from . import access
from .prompt_client import KernelDied


class CompiledTemplates(BytecodeCache):
    """Compiled templates in memory, by name and source."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self.code[bucket.key, bucket.checksum] = bucket.code


class Exporter(VoilaExporter):
    """An exporter of one page. Voila makes one for each page, and nbconvert gives each a template environment."""

    compiled = CompiledTemplates()

    async def generate_from_notebook_node(self, *args: Any, **kwargs: Any) -> AsyncIterator[tuple]:
        """Yield the parts of a page, which ends where its kernel dies; Voila's would neither end nor go on."""
        try:
            async for part in super().generate_from_notebook_node(*args, **kwargs):
                yield part
        except KernelDied:
            pass  # the server reports it

    def _create_environment(self) -> Environment:
        environment = super()._create_environment()
        environment.bytecode_cache = self.compiled
        environment.globals["page_path"] = access.page_path
        return environment


def install() -> None:
    """Let Voila use this exporter; it has no setting for that."""
    notebook_renderer.VoilaExporter = Exporter
