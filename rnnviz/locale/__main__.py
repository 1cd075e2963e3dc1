"""`python3 dev.py translate`: update the catalogues and everything generated from them."""

import sys
from pathlib import Path

from . import catalogue, generated

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Write the files that have changed, and report the texts left to translate."""
    untranslated = {path: catalogue.untranslated(one) for path, one in generated.catalogues(ROOT).items()}
    for path, content in generated.files(ROOT).items():
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            print(f"wrote {path.relative_to(ROOT)}")
    for path, texts in untranslated.items():
        if texts:
            count = "1 text needs" if len(texts) == 1 else f"{len(texts)} texts need"
            print(f"{path.relative_to(ROOT)}: {count} a translation (empty, or marked as fuzzy)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
