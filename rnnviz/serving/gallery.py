"""The cards of the index page, an ordered course: what each notebook asks, how long it takes, what it teaches."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .languages import OWN, metadata_of

PICTURES = "pictures"
GOAL = "goal"  # the tag of the cell that says what one can do after the notebook
MOST_COLUMNS = 4


@dataclass(frozen=True)
class Card:
    """One notebook on the index page; `name` and the pictures are paths relative to the notebook folder.

    `minutes` is how long the notebook takes, 0 if it does not say; `goal` is a heading and what stands below it.
    """

    name: str
    title: str
    sentence: str = ""
    picture: str = ""
    dark_picture: str = ""
    language: str = OWN
    minutes: int = 0
    goal: tuple[str, str] = ("", "")


def cards(folder: Path, language: str = OWN) -> list[Card]:
    """Return the cards of a folder's notebooks, in the order of their file names.

    A translation has the same file name, in a folder named after its language; it replaces the original.
    """
    paths = {path.name: path for place in (folder, folder / language) for path in place.glob("[!._]*.ipynb")}
    return [card(path, folder) for _, path in sorted(paths.items())]


def columns(number: int) -> int:
    """Return how many cards stand side by side on a wide page, so that none is left alone in the last row.

    >>> [columns(number) for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)]
    [1, 2, 3, 4, 3, 4, 4, 4, 3, 4]
    """
    full = [count for count in range(min(number, MOST_COLUMNS), 1, -1) if number == count or number % count != 1]
    return full[0] if full else 1


def card(path: Path, folder: Path) -> Card:
    """Return a notebook's card: its first heading, the paragraph below that, `pictures/<stem>.png`, and its goal."""
    cells = cells_of(path, "markdown")
    title, sentence = heading_and_sentence(text(cells[0])) if cells else ("", "")
    goals = [text(cell) for cell in cells if GOAL in cell.get("metadata", {}).get("tags", ())]
    label = metadata_of(path)
    language, minutes = label.get("language"), label.get("minutes")
    return Card(
        name=path.relative_to(folder).as_posix(),
        title=title or path.stem.replace("_", " "),
        sentence=sentence,
        picture=picture(path, folder, ""),
        dark_picture=picture(path, folder, "-dark"),
        language=language if isinstance(language, str) else OWN,
        minutes=minutes if isinstance(minutes, int) else 0,
        goal=heading_and_sentence(goals[0]) if goals else ("", ""),
    )


def cells_of(path: Path, kind: str) -> list[dict]:
    """Return the "markdown" or "code" cells that are not empty, or [] if the file is not a notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [cell for cell in cells if cell["cell_type"] == kind and text(cell).strip()]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def text(cell: dict) -> str:
    """Return a cell's source."""
    return "".join(cell["source"])


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
