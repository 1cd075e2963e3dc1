"""The folded table of schemes follows the page, and keeps theory back before a bet."""

import pytest
from conftest import NOTEBOOKS
from synchronous import put

pytestmark = pytest.mark.usefixtures("no_loop")
SMALL = {"hidden_size": 8, "seq_len": 8, "batch_size": 2, "seeds": 2}


def test_the_table_is_written_once_unfolded_and_follows_the_settings(opened):
    page = opened("", "state", **SMALL)
    assert page.weights.words.value == ""
    page.weights.button.value = True
    assert "N(0, 1/fan_in)</td><td>0.125</td><td>1</td>" in page.weights.words.value
    assert "critical σ_w" in page.weights.words.value
    put(page, hidden_size=16, gain=2.0)
    assert "N(0, 1/fan_in)</td><td>0.25</td><td>2</td>" in page.weights.words.value
    put(page, scheme="uniform01")
    assert "0.333, mean 1</td>" in page.weights.words.value


def test_the_table_leads_to_the_claims_where_they_are_served(opened, monkeypatch, tmp_path):
    link = '<a href="08_the_note.ipynb">'
    for server, folder, expected in (("voila/0.5", NOTEBOOKS, 1), ("voila/0.5", tmp_path, 0), ("", NOTEBOOKS, 0)):
        monkeypatch.setenv("SERVER_SOFTWARE", server)
        monkeypatch.chdir(folder)
        page = opened("", "state", **SMALL)
        page.weights.button.value = True
        assert page.weights.words.value.count(link) == expected, (server, folder)


def test_before_a_bet_there_is_no_theory(opened):
    page = opened("?predict=1", "gradient", **SMALL)
    page.weights.button.value = True
    assert "N(0, 1/fan_in)" in page.weights.words.value
    assert "critical σ_w" not in page.weights.words.value
