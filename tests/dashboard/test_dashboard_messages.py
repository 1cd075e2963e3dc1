"""What travels to the page: one message for a change, pictures as the screen wants them, files that are asked for."""

import io
import json

import ipywidgets as widgets
import pytest
from comm import DummyComm
from pages import everything_in, make
from PIL import Image
from synchronous import put

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture
def sent(monkeypatch):
    """Collect (comm, names of the state sent) of every message that a kernel would send."""
    messages = []

    def publish(comm, msg_type, data=None, metadata=None, buffers=None, **keys):
        if msg_type == "comm_msg":
            messages.append((comm.comm_id, set(data.get("state", {}))))

    monkeypatch.setattr(DummyComm, "publish_msg", publish)
    return messages


def test_one_message_brings_everything_of_a_change(sent):
    dashboard = make()
    stage = dashboard.stage.comm.comm_id
    widgets = dashboard.controls.widgets | {"he": dashboard.controls.compare["he"]} | dashboard.controls.choices
    changes = {"hidden_size": 13, "scheme": "orthogonal", "cell": "lstm", "he": True, "theory": True}
    for name, value in changes.items():
        sent.clear()
        widgets[name].value = value
        assert [state & {"frame"} for comm, state in sent if comm == stage] == [{"frame"}], name


def test_a_frame_is_whole_and_plain():
    frame = make().stage.frame
    assert [view["name"] for view in frame["views"]] == ["state", "gradient"]
    assert frame["whole"]
    plain = {**frame, "views": [{key: value for key, value in view.items() if key != "png"} for view in frame["views"]]}
    assert json.loads(json.dumps(plain)) == plain
    assert len({view["revision"] for view in frame["views"]}) == 2


def test_pictures_have_the_dots_of_the_screen_and_turning_it_runs_nothing():
    dashboard = make()
    trace, before = dashboard.trace, dashboard.stage.frame["revision"]
    dashboard.stage.viewport = {"width": 700, "ratio": 1.5}
    frame = dashboard.stage.frame
    assert frame["revision"] > before
    assert dashboard.trace is trace
    for view in frame["views"]:
        size = Image.open(io.BytesIO(view["png"])).size
        assert size == (int(view["width"] * 1.5), int(view["height"] * 1.5))


def test_pictures_that_come_back_are_not_painted_again_unless_the_page_has_changed():
    dashboard = make("state")
    first = dashboard.stage.frame["views"][0]["revision"]
    put(dashboard, gain=1.5)
    put(dashboard, gain=1.0)
    assert dashboard.stage.frame["views"][0]["revision"] == first
    dashboard.stage.viewport = {"width": 390, "ratio": 2}
    assert dashboard.stage.frame["views"][0]["revision"] != first
    dashboard.controls.choices["theory"].value = True
    assert "Theory expects" in dashboard.stage.frame["views"][0]["alt"]


def test_files_and_code_are_sent_when_they_are_asked_for(opened):
    dashboard = opened("", "state", "spectrum")
    sent = []
    dashboard.stage.send = lambda content, buffers=None: sent.append((content, buffers))
    for kind, view in [("png", "spectrum"), ("svg", "state"), ("csv", ""), ("code", "")]:
        dashboard.receive({"kind": kind, "view": view})
    assert [content.get("name", "code").rpartition(".")[2] for content, _ in sent] == ["png", "svg", "csv", "code"]
    assert sent[0][1][0].startswith(b"\x89PNG")
    assert b"hidden_size: 12" in sent[2][1][0]
    assert "Dashboard(" in sent[3][0]["text"]
    assert dashboard.state.requests == ()


def test_no_file_gives_a_bet_away(opened):
    dashboard = opened("predict=1", "gradient")
    dashboard.attempt(lambda: dashboard.receive({"kind": "csv"}))
    assert dashboard.stage.message == "Place your bet first: a file would give the answer away."
    assert dashboard.state.requests == ()


def test_a_dashboard_is_a_widget_of_its_own_class_and_closes_all_others():
    dashboard = make("state")
    assert isinstance(dashboard, widgets.Widget)
    assert "rnnviz" in dashboard._dom_classes
    inside = everything_in(dashboard)
    dashboard.close()
    assert all(widget.comm is None for widget in inside)
