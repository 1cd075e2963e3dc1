"""Tables: exact numbers, and nothing half written."""

import csv
import math

import pytest

from rnnviz.learning.table import check_table, write_table

NAMES = ("scheme", "loss", "first_nonfinite", "never")
ROWS = [['he, or "not"', 0.1 + 0.2, 3, None], ["xavier", -math.inf, None, None], ["xavier", 5e-324, None, None]]


def test_csv_reads_back_bit_for_bit(tmp_path):
    write_table(tmp_path / "a.csv", NAMES, ROWS)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == list(NAMES)
    assert [row[0] for row in rows] == [row[0] for row in ROWS]
    assert [float(row[1]) for row in rows] == [row[1] for row in ROWS]
    assert [row[2:] for row in rows] == [["3", ""], ["", ""], ["", ""]]


def test_parquet_has_types_and_nulls(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    check_table(tmp_path / "a.parquet")
    write_table(tmp_path / "a.parquet", NAMES, ROWS)
    table = parquet.read_table(tmp_path / "a.parquet")
    assert [str(kind) for kind in table.schema.types] == ["string", "double", "int64", "int64"]
    assert [list(row.values()) for row in table.to_pylist()] == ROWS


def test_a_failed_write_leaves_the_old_table_and_no_part(tmp_path):
    write_table(tmp_path / "a.csv", NAMES, ROWS)
    before = (tmp_path / "a.csv").read_bytes()

    def broken():
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_table(tmp_path / "a.csv", NAMES, broken())
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == before


def test_a_table_that_could_not_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "there.csv").touch()
    for name, words in {
        "a.xls": "a table is a .csv or .parquet file, which 'a.xls' is not",
        "there.csv": "there.csv exists already",
        "no/a.csv": "there is no folder ",
    }.items():
        with pytest.raises(ValueError, match=words):
            check_table(tmp_path / name)
    check_table(tmp_path / "a.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["there.csv"]
