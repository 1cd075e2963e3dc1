"""What the index page says of each notebook: a title, a sentence and a picture."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .languages import OWN, spoken

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
    """Describe every notebook of a folder, in the order of their file names.

    What is translated lies, under the same name, in the language's own folder; what is not is shown as it is.
    """
    paths = {path.name: path for place in (folder, folder / language) for path in place.glob("[!._]*.ipynb")}
    return [card(path, folder) for _, path in sorted(paths.items())]


def card(path: Path, folder: Path) -> Card:
    """Describe a notebook by its first heading, the paragraph below that, and `pictures/<stem>.png`."""
    title, sentence = heading_and_sentence(first_markdown(path))
    return Card(
        name=path.relative_to(folder).as_posix(),
        title=title or path.stem.replace("_", " "),
        sentence=sentence,
        picture=picture(path, folder, ""),
        dark_picture=picture(path, folder, "-dark"),
        language=spoken(path),
    )


def first_markdown(path: Path) -> str:
    """Return the text of the first Markdown cell, or nothing where the file is no notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return "".join(sources[0]) if sources else ""


def heading_and_sentence(markdown: str) -> tuple[str, str]:
    """Return the first heading and the paragraph after it, both as plain text.

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
    """Take the Markdown signs out of one paragraph: links, emphasis, code and formula marks.

    >>> plain("See [*why*](a.md) `tanh` and $W_{hh}$\\nmatter")
    'See why tanh and W_{hh} matter'
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\*+|`+|\$+|(?<!\w)_|_(?!\w|\{)", "", text)
    return " ".join(text.split())


def picture(notebook: Path, folder: Path, suffix: str) -> str:
    """Return where the picture of a notebook lies, beside it or beside the original; nothing where there is none."""
    name = f"{PICTURES}/{notebook.stem}{suffix}.png"
    found = (place / name for place in (notebook.parent, folder) if (place / name).is_file())
    return next((path.relative_to(folder).as_posix() for path in found), "")
