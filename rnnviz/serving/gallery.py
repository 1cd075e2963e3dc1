"""The cards of the index page: a title, a sentence and a picture of each notebook."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .languages import OWN, language_of

PICTURES = "pictures"


@dataclass(frozen=True)
class Card:
    """One notebook on the index page; `name` and the pictures are paths relative to the notebook folder."""

    name: str
    title: str
    sentence: str = ""
    picture: str = ""
    dark_picture: str = ""
    language: str = OWN


def cards(folder: Path, language: str = OWN) -> list[Card]:
    """Return the cards of a folder's notebooks, in the order of their file names.

    A translation has the same file name, in a folder named after its language; it replaces the original.
    """
    paths = {path.name: path for place in (folder, folder / language) for path in place.glob("[!._]*.ipynb")}
    return [card(path, folder) for _, path in sorted(paths.items())]


def card(path: Path, folder: Path) -> Card:
    """Return a notebook's card: its first heading, the paragraph below that, and `pictures/<stem>.png`."""
    title, sentence = heading_and_sentence(first_markdown(path))
    return Card(
        name=path.relative_to(folder).as_posix(),
        title=title or path.stem.replace("_", " "),
        sentence=sentence,
        picture=picture(path, folder, ""),
        dark_picture=picture(path, folder, "-dark"),
        language=language_of(path),
    )


def first_markdown(path: Path) -> str:
    """Return the text of the first Markdown cell, or "" if the file is not a notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return "".join(sources[0]) if sources else ""


def heading_and_sentence(markdown: str) -> tuple[str, str]:
    """Return the first heading and the paragraph below it, both as plain text.

    >>> heading_and_sentence("# Watch\\n\\nIt *grows*.\\nFast.\\n\\n## Tasks")
    ('Watch', 'It grows. Fast.')
    """
    heading, _, rest = markdown.lstrip().partition("\n")
    if not heading.startswith("#"):
        return "", ""
    paragraphs = [block.strip() for block in re.split(r"\n\s*\n", rest) if block.strip()]
    sentence = "" if not paragraphs or paragraphs[0].startswith("#") else plain(paragraphs[0])
    return plain(heading.lstrip("#")), sentence


def plain(markdown: str) -> str:
    """Return a paragraph without its Markdown: links, emphasis, code and formula marks.

    >>> plain("See [*why*](a.md) `tanh` and $W_{hh}$\\nmatter")
    'See why tanh and W_{hh} matter'
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\*+|`+|\$+|(?<!\w)_|_(?!\w|\{)", "", text)
    return " ".join(text.split())


def picture(notebook: Path, folder: Path, suffix: str) -> str:
    """Return the path of a notebook's picture, below its own folder or the original's; "" if there is none."""
    name = f"{PICTURES}/{notebook.stem}{suffix}.png"
    found = (place / name for place in (notebook.parent, folder) if (place / name).is_file())
    return next((path.relative_to(folder).as_posix() for path in found), "")
