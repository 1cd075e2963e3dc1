"""The texts of a Markdown cell: headings, paragraphs, list items and summaries, without markup and line breaks."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH = 120
PIECE = re.compile(r"(?P<before>#+ |- |<details><summary>|)(?P<text>.*?)(?P<after></summary>|)", re.DOTALL)
TAG = re.compile(r"</?\w+>")


@dataclass(frozen=True)
class Piece:
    """A text with the markup around it; ``gap`` separates it from the previous piece."""

    gap: str
    before: str
    text: str
    after: str

    def with_text(self, text: str) -> str:
        """Return the piece with another text, wrapped; the lines of a list item are indented."""
        if self.before.startswith(("#", "<")) or not text:
            return self.before + text + self.after
        return textwrap.fill(
            text, WIDTH, initial_indent=self.before, subsequent_indent=" " * len(self.before),
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip


def pieces(source: str) -> Iterator[Piece]:
    """Split a cell at its blank lines and list items; fenced code has no text.

    >>> [(piece.before, piece.text) for piece in pieces("## See\\n\\n- a\\n  b\\n- c\\n\\n</details>")]
    [('## ', 'See'), ('- ', 'a b'), ('- ', 'c'), ('</details>', '')]
    >>> [piece.text for piece in pieces("See\\n\\n```python\\na = 1\\n\\nb\\n```\\n\\nend")]
    ['See', '', '', 'end']
    """
    is_code = False
    for number, block in enumerate(source.split("\n\n")):
        fences = len(re.findall("^```", block, re.MULTILINE))
        if is_code or fences:
            yield Piece("\n\n" if number else "", block, "", "")
            is_code ^= fences % 2 == 1
            continue
        for item, lines in enumerate(re.split(r"\n(?=- )", block)):
            gap = "\n" if item else "\n\n" if number else ""
            if TAG.fullmatch(lines):
                yield Piece(gap, lines, "", "")
            else:
                found = PIECE.fullmatch(lines)
                assert found, "every part of the pattern may be empty"
                before, text, after = found.groups()
                yield Piece(gap, before, " ".join(text.split()), after)


def texts(source: str) -> list[str]:
    """Return the translatable texts of a cell."""
    return [piece.text for piece in pieces(source) if piece.text]


def translated(source: str, translations: dict[str, str]) -> str:
    """Return a cell with its texts translated; those without a translation stay as they are."""
    return "".join(piece.gap + piece.with_text(translations.get(piece.text, piece.text)) for piece in pieces(source))
