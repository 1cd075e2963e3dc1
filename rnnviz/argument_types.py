"""The arguments of the command line: each function reads one, or says what is wrong with it."""

import re
from argparse import ArgumentTypeError
from ipaddress import ip_address


def port_number(text: str) -> int:
    """Read a port number."""
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise ArgumentTypeError(f"a port is a whole number from 1 to 65535, not {text!r}")
    return int(text)


def class_size(text: str) -> int:
    """Read a number of students."""
    if not (text.isdecimal() and 1 <= int(text) <= 1000):
        raise ArgumentTypeError(f"a class has from 1 to 1000 students, not {text!r}")
    return int(text)


def worker_count(text: str) -> int:
    """Read a number of processes."""
    if not (text.isdecimal() and 1 <= int(text) <= 1000):
        raise ArgumentTypeError(f"the number of processes is a whole number from 1 to 1000, not {text!r}")
    return int(text)


def origin(text: str) -> str:
    """Read an origin: scheme, host and, where it is not the scheme's own, port.

    >>> origin("https://moodle.example.edu/"), origin("http://localhost:8000")
    ('https://moodle.example.edu', 'http://localhost:8000')
    """
    host = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]"
    found = re.fullmatch(rf"(https?://({host}))(:([0-9]{{1,5}}))?/?", text, re.IGNORECASE)
    if not found or not 1 <= int(found[5] or 1) <= 65535:
        raise ArgumentTypeError(f"an origin is like https://moodle.example.edu, without a path, not {text!r}")
    return text.rstrip("/").lower()


def host_name(text: str) -> str:
    """Read a host name or address, without a port.

    >>> host_name("Rnnviz.example.edu"), host_name("192.0.2.7")
    ('rnnviz.example.edu', '192.0.2.7')
    """
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", text, re.IGNORECASE):
        raise ArgumentTypeError(f"a host name is like rnnviz.example.edu, without a port, not {text!r}")
    return text.lower()


def public_origin(text: str) -> str:
    """Read where a proxy shows the dashboards: an origin, or a host name, which stands for one with a certificate.

    >>> public_origin("Rnnviz.example.edu"), public_origin("http://192.0.2.7:8080")
    ('https://rnnviz.example.edu', 'http://192.0.2.7:8080')
    """
    return origin(text) if "://" in text else f"https://{host_name(text)}"


def own_host(text: str) -> str:
    """Read an address or a name of this machine.

    >>> own_host("0.0.0.0"), own_host("FD00::20"), own_host("localhost")
    ('0.0.0.0', 'fd00::20', 'localhost')
    """
    try:
        return str(ip_address(text))
    except ValueError:
        return host_name(text)


def base_url(text: str) -> str:
    """Read the path below which a proxy shows the dashboards.

    >>> base_url("rnnviz"), base_url("/courses/rnnviz/"), base_url("/")
    ('/rnnviz/', '/courses/rnnviz/', '/')
    """
    if not re.fullmatch(r"/?([\w~-][\w.~-]*/)*([\w~-][\w.~-]*)?", text, re.ASCII):
        raise ArgumentTypeError(f"a base URL is a path like /rnnviz/, not {text!r}")
    return f"/{text.strip('/')}/".replace("//", "/")
