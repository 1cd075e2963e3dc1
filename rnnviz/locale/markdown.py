"""The texts of a Markdown cell: headings, paragraphs, list items and summaries, without their marks and line breaks."""

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

WIDTH = 120
MARKED = re.compile(r"(?P<before>#+ |- |<details><summary>|)(?P<text>.*?)(?P<after></summary>|)", re.DOTALL)
TAG = re.compile(r"</?\w+>")


@dataclass(frozen=True)
class Piece:
    """A text with the marks around it; ``gap`` is what separates it from the piece before."""

    gap: str
    before: str
    text: str
    after: str

    def written(self, text: str) -> str:
        """Return the piece with another text, in lines that fit; a list item's lines stand below each other."""
        if self.before.startswith(("#", "<")) or not text:
            return self.before + text + self.after
        return textwrap.fill(
            text, WIDTH, initial_indent=self.before, subsequent_indent=" " * len(self.before),
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip


def pieces(source: str) -> Iterator[Piece]:
    """Split a cell at its blank lines and list items.

    >>> [(piece.before, piece.text) for piece in pieces("## See\\n\\n- a\\n  b\\n- c\\n\\n</details>")]
    [('## ', 'See'), ('- ', 'a b'), ('- ', 'c'), ('</details>', '')]
    """
    for number, block in enumerate(source.split("\n\n")):
        for item, lines in enumerate(re.split(r"\n(?=- )", block)):
            gap = "\n" if item else "\n\n" if number else ""
            if TAG.fullmatch(lines):
                yield Piece(gap, lines, "", "")
            else:
                before, text, after = MARKED.fullmatch(lines).groups()
                yield Piece(gap, before, " ".join(text.split()), after)


def texts(source: str) -> list[str]:
    """Return what there is to translate in a cell."""
    return [piece.text for piece in pieces(source) if piece.text]


def translated(source: str, translate: Callable[[str], str]) -> str:
    """Return a cell with every text translated."""
    return "".join(piece.gap + piece.written(translate(piece.text) if piece.text else "") for piece in pieces(source))
