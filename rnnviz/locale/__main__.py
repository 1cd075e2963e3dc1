"""`python3 dev.py translate`: bring the catalogues, and all that is made of them, up to date."""

import sys
from pathlib import Path

from . import catalogue, made

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Write what has changed, and tell what is left to translate."""
    waiting = {path: catalogue.open_texts(one) for path, one in made.catalogues(ROOT).items()}
    for path, content in made.files(ROOT).items():
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            print(f"wrote {path.relative_to(ROOT)}")
    for path, texts in waiting.items():
        if texts:
            count = "1 text waits" if len(texts) == 1 else f"{len(texts)} texts wait"
            print(f"{path.relative_to(ROOT)}: {count} for a translation (empty, or marked as fuzzy)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
