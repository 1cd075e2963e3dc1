"""The cards of the index page."""

import json

from browsing import NOTEBOOKS

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


def test_cards_say_how_long_a_notebook_takes_and_what_one_can_do_after_it(tmp_path):
    goal = {"cell_type": "markdown", "metadata": {"tags": ["goal"]}, "source": "## You can say\n\nWhy it *grows*.\n"}
    title = {"cell_type": "markdown", "metadata": {}, "source": "# Watch"}
    content = {"cells": [title, goal], "metadata": {"rnnviz": {"minutes": 15}}}
    (tmp_path / "01_a.ipynb").write_text(json.dumps(content))
    assert gallery.cards(tmp_path) == [
        gallery.Card("01_a.ipynb", "Watch", minutes=15, goal=("You can say", "Why it grows.")),
    ]
    for minutes in ("15", None, []):
        content["metadata"]["rnnviz"]["minutes"] = minutes
        (tmp_path / "01_a.ipynb").write_text(json.dumps(content))
        assert gallery.cards(tmp_path)[0].minutes == 0, minutes


def test_every_notebook_of_the_course_has_minutes_a_goal_and_pictures():
    for card in gallery.cards(NOTEBOOKS):
        assert 5 <= card.minutes <= 45, card
        assert all(card.goal), card
        assert card.picture, card
        assert card.dark_picture, card


def test_no_card_is_alone_in_the_last_row_of_a_wide_page():
    for number in range(2, 13):
        columns = gallery.columns(number)
        assert 2 <= columns <= 4, number
        assert number % columns != 1, number
