"""The command `rnnviz`: its arguments, its port, and how it reports its address."""

import queue
import socket

import pytest
from conftest import PATIENCE

from rnnviz import __main__ as command_line


def test_impossible_arguments_are_refused_in_one_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert command_line.main(["demo", "--no-browser", "--port", str(port)]) == 2
    sentence = f"rnnviz: port {port} is already in use; choose another with --port, or leave it out.\n"
    assert capsys.readouterr().err == sentence
    assert command_line.main(["demo", "--host", "192.0.2.77"]) == 2
    sentence = "rnnviz: this machine has no address 192.0.2.77; --host 0.0.0.0 stands for all that it has.\n"
    assert capsys.readouterr().err == sentence
    assert command_line.main(["demo", "no_such_folder"]) == 2
    sentence = "rnnviz: there is no folder 'no_such_folder'; give a folder that holds notebooks.\n"
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize(
    ("option", "sentence", "values"),
    [
        ("class", "a class has from 1 to 1000 students, not ", ("0", "-1", "abc", "10000", "", "3.5", "²")),
        ("host", "a host name is like rnnviz.example.edu, without a port, not ", ("", "a.edu:80", "1.2.3.4/24", "a b")),
        ("port", "a port is a whole number from 1 to 65535, not ", ("0", "70000", "http", "-1")),
        (
            "embed",
            "an origin is like https://moodle.example.edu, without a path, not ",
            ("", "moodle.example.edu", "https://a.edu/course", "https://*.edu", "https://a.edu; script-src *", "*",
             "https://a.edu https://b.edu", "ftp://a.edu", "https://a.edu:0", "https://a.edu:99999", "https://u@a.edu",
             "https://a.edu\n"),
        ),
        ("public-host", "a host name is like rnnviz.example.edu, without a port, not ",
         ("", "a.edu:80", "*.edu", "*", "a edu", "a.edu/b", "-a.edu")),
        ("public-host", "an origin is like https://moodle.example.edu, without a path, not ",
         ("https://a.edu/b", "ftp://a.edu", "http://")),
        ("base-url", "a base URL is a path like /rnnviz/, not ", ("http://a.edu/b/", "a//b", "/a b/", "/a?b", "/../")),
    ],
)  # fmt: skip
def test_impossible_options_are_refused_in_one_sentence(capsys, option, sentence, values):
    for value in values:
        with pytest.raises(SystemExit) as ended:
            command_line.main(["demo", f"--{option}={value}"])
        assert ended.value.code == 2, value
        assert f"argument --{option}: {sentence}{value!r}" in capsys.readouterr().err, value


def test_next_free_port_is_taken():
    class App:
        @staticmethod
        def bind(port, host):
            if port < command_line.FIRST_PORT + 2:
                raise OSError(98, "in use")
            return [port, host]

    assert command_line.bound_sockets(App, None, "::1") == [command_line.FIRST_PORT + 2, "::1"]
    assert command_line.bound_sockets(App, 54321, "::1") == [54321, "::1"]


def test_address_is_printed_and_shown_where_wanted(capsys):
    shown = queue.Queue()
    command_line.announcer(shown.put)("ADDRESS")
    assert shown.get(timeout=PATIENCE) == "ADDRESS"
    command_line.announcer(None, "LINK")("ADDRESS")
    link = "The link for other computers: LINK\n"
    assert capsys.readouterr().out == 2 * "rnnviz runs at ADDRESS (Ctrl-C stops it)\n" + link
    for found in (True, False):
        command_line.open_browser("ADDRESS", lambda address, found=found: shown.put(address) or found)
        assert shown.get_nowait() == "ADDRESS"
        assert ("No browser was found on this machine: open ADDRESS in one." in capsys.readouterr().out) != found
