"""The journal of a sweep: what was written whole comes back, whatever happened then."""

import json
import math
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.learning.journal import Journal, JournalError

FLOATS = st.floats(allow_nan=False)
ROWS = st.lists(st.tuples(st.sampled_from(["he", "ünïcode"]), FLOATS, st.none() | st.integers(0, 9)).map(list))


@settings(max_examples=50)
@given(entries=st.lists(ROWS, max_size=5), data=st.data())
def test_a_journal_cut_anywhere_keeps_every_whole_line(tmp_path_factory, entries, data):
    path = tmp_path_factory.getbasetemp() / "journal"
    path.unlink(missing_ok=True)
    with closing(Journal(path, "me")) as journal:
        for cell, rows in enumerate(entries):
            journal.add(cell, rows)
    written = path.read_bytes()
    cut = data.draw(st.integers(0, len(written)))
    path.write_bytes(written[:cut])
    whole = max(written[:cut].count(b"\n") - 1, 0)
    with closing(Journal(path, "me")) as journal:
        assert journal.finished == dict(enumerate(entries[:whole]))
        journal.add(7, [["he", 0.5, None]])
    with closing(Journal(path, "me")) as journal:
        assert journal.finished == {**dict(enumerate(entries[:whole])), 7: [["he", 0.5, None]]}
    assert path.read_bytes().count(b"\n") == whole + 2


@pytest.mark.parametrize("damage", [lambda line: line[:-1], lambda line: bytes(len(line) - 1) + b"\n"])
def test_a_line_without_its_end_or_full_of_zeros_is_cut_off(tmp_path, damage):
    path = tmp_path / "journal"
    with closing(Journal(path, "me")) as journal:
        head = path.read_bytes()
        journal.add(0, [["he", 0.5]])
    path.write_bytes(head + damage(path.read_bytes()[len(head) :]))
    with closing(Journal(path, "me")) as journal:
        assert journal.finished == {}
        journal.add(1, [["he", 0.25]])
    with closing(Journal(path, "me")) as journal:
        assert journal.finished == {1: [["he", 0.25]]}


def test_numbers_that_are_not_finite_come_back(tmp_path):
    with closing(Journal(tmp_path / "journal", "me")) as journal:
        journal.add(0, [[math.inf, -math.inf, math.nan, 5e-324]])
    with closing(Journal(tmp_path / "journal", "me")) as journal:
        ((high, low, none, tiny),) = journal.finished[0]
    assert (high, low, tiny) == (math.inf, -math.inf, 5e-324)
    assert math.isnan(none)


@pytest.mark.parametrize("content", ['["you"]\n', '["you"]', "my notes\n", "\n", json.dumps(["me"]) + " \n"])
def test_what_belongs_to_another_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "results.csv.journal"
    path.write_text(content)
    with pytest.raises(JournalError, match="^results.csv.journal is of another grid or another version of rnnviz; "):
        Journal(path, "me")
    assert path.read_text() == content
