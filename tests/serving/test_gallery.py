"""The cards of the index page."""

import json

from rnnviz.serving import gallery


def notebook(path, *cells, **more):
    cells = [{"cell_type": kind, "source": source} for kind, source in cells]
    path.write_text(json.dumps({"cells": cells, **more}), encoding="utf-8")


def test_cards_say_title_sentence_and_picture(tmp_path):
    source = ["# See `tanh`\n", "\n", "It **grows**.\n"]
    notebook(tmp_path / "02_b.ipynb", ("code", "1"), ("markdown", source))
    notebook(tmp_path / "01_a.ipynb", ("markdown", "# Watch\n\n## Tasks"))
    (tmp_path / "03_broken.ipynb").write_text("{")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/02_b.png").touch()
    (tmp_path / "pictures/02_b-dark.png").touch()
    assert gallery.cards(tmp_path) == [
        gallery.Card("01_a.ipynb", "Watch"),
        gallery.Card("02_b.ipynb", "See tanh", "It grows.", "pictures/02_b.png", "pictures/02_b-dark.png"),
        gallery.Card("03_broken.ipynb", "03 broken"),
    ]
