"""Promises of SECURITY.md: only the visitor's own page reaches a kernel, and only with widgets' messages."""

import asyncio
import json
import re
import uuid
from itertools import product

import pytest
from conftest import Server
from knocking import PAGE, PICTURE, Student, ask, channels, connected
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect


@pytest.fixture(scope="module")
def students(server):
    """Return two students whose pages are open, each with a kernel."""
    both = [Student(server), Student(server)]
    assert [student.open().status for student in both] == [200, 200]
    yield both
    assert [student.leave() for student in both] == [204, 204]


def test_a_foreign_origin_gets_nothing(server, students):
    own, address, other_port = {"Cookie": students[0].cookie}, server.url.rstrip("/"), "http://127.0.0.1:1"
    disguised = (f"{address}@evil.example", f"{address} http://evil.example", f"{address}.evil.example", "http://[::1")
    for origin, path in product(("http://evil.example", other_port, "null", "", *disguised), ("", PAGE, PICTURE)):
        answer = ask(server, path, Origin=origin, **own)
        assert answer.status == 403, (origin, path)
        assert "Access-Control-Allow-Origin" not in answer.headers
    for origin in ("http://evil.example", other_port, "null"):
        for path in (channels(students[0].kernel), students[0].own_path + channels(students[0].kernel)):
            assert not connected(server, path, Origin=origin, **own), origin
        shutdown = f"{students[0].own_path}voila/api/shutdown/{students[0].kernel}"
        assert ask(server, shutdown, "POST", Origin=origin, **own).status == 403, origin
    for mode, target in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("websocket", "websocket")):
        headers = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": target}
        assert ask(server, PAGE, **headers).status == 403, mode
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert ask(server, **followed).status == 200, "a link from another site leads here"
    assert len(server.kernels()) >= 2, "both pages still have theirs"


def test_another_students_kernel_is_out_of_reach(server, students):
    mine, other = students
    assert connected(server, channels(mine.kernel), Cookie=mine.cookie)
    assert connected(server, mine.own_path + channels(mine.kernel)), "a frame has no cookie"
    forged = mine.own_path.replace(mine.kernel, other.kernel)
    for path, cookie in product(("", mine.own_path, forged, other.own_path[:-2] + "0/"), ("", mine.cookie)):
        assert not reached(server, path, other.kernel, cookie), (path, cookie)
    assert ask(server, f"{other.own_path}api/kernels/{other.kernel}").status == 200
    assert other.process().is_running()


def reached(server: Server, path: str, kernel: str, cookie: str) -> bool:
    """Tell whether anything of a kernel answers below a path."""
    xsrf = re.search(r"_xsrf=([^;]+)", cookie)
    headers = {"Cookie": cookie, "X_XSRFToken": xsrf[1] if xsrf else ""}
    statuses = {
        ask(server, f"{path}api/kernels/{kernel}", **headers).status,
        ask(server, f"{path}api/kernels/{kernel}", "DELETE", **headers).status,
        ask(server, f"{path}voila/api/shutdown/{kernel}", "POST", **headers).status,
        *(
            ask(server, f"{path}api/kernels/{kernel}/{verb}", "POST", **headers).status
            for verb in ("restart", "interrupt")
        ),
    }
    return not statuses <= {403, 404} or connected(server, path + channels(kernel), Cookie=cookie)


@pytest.mark.usefixtures("no_loop")
@pytest.mark.parametrize("protocol", [None, "v1.kernel.websocket.jupyter.org"])
def test_only_widget_messages_reach_a_kernel(server, students, tmp_path, protocol):
    mine, file = students[0], tmp_path / "executed"
    code = {"code": f"open({str(file)!r}, 'w')", "silent": False, "user_expressions": {}, "allow_stdin": False}
    code |= {"cursor_pos": 1, "detail_level": 0, "text": "x", "value": "x", "restart": True}
    forbidden = ("execute_request", "inspect_request", "complete_request", "history_request", "is_complete_request")
    forbidden = (*forbidden, "debug_request", "interrupt_request", "input_reply", "create_subshell_request", "")
    messages = [message(kind, channel, code) for kind in forbidden for channel in ("shell", "control", "stdin")]
    messages.append(
        message("comm_msg", "shell", {"comm_id": "nosuch", "data": {"method": "execute", "code": code["code"]}})
    )
    replies = asyncio.run(talk(server, mine, protocol, [*messages, message("kernel_info_request", "shell", {})]))
    assert replies[-1] == "kernel_info_reply"
    assert not {"execute_reply", "execute_input", "inspect_reply", "complete_reply", "history_reply"} & set(replies)
    assert not file.exists()


def message(kind: str, channel: str, content: dict) -> dict:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "session": "s",
        "username": "u",
        "version": "5.3",
        "date": "",
    }
    return {
        "channel": channel,
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": [],
    }


def packed(each: dict) -> bytes:
    """Return a message as the protocol v1 writes it: the offsets of its parts, and these."""
    parts = [each["channel"].encode()]
    parts += [json.dumps(each[name]).encode() for name in ("header", "parent_header", "metadata", "content")]
    first = 8 * (len(parts) + 2)
    offsets = [first + sum(map(len, parts[:k])) for k in range(len(parts) + 1)]
    return b"".join([number.to_bytes(8, "little") for number in (len(offsets), *offsets)] + parts)


async def talk(server: Server, student: Student, protocol: str | None, messages: list[dict]) -> list[str]:
    """Send messages to a student's kernel; return the types of all that come back until it says what it is."""
    address = server.url.replace("http", "ws", 1) + student.own_path + channels(student.kernel)
    connection = await websocket_connect(HTTPRequest(address), subprotocols=[protocol] if protocol else None)
    for each in messages:
        await connection.write_message(packed(each) if protocol else json.dumps(each), binary=bool(protocol))
    kinds: list[str] = []
    while "kernel_info_reply" not in kinds[-1:]:
        answer = await asyncio.wait_for(connection.read_message(), 30)
        assert answer is not None, "the server closed the connection"
        text = answer if isinstance(answer, str) else answer.decode(errors="replace")
        kinds += re.findall(r'"msg_type": *"([a-z_]+)"', text)[:1]
    connection.close()
    while await connection.read_message() is not None:
        pass
    return kinds
