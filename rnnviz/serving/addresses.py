"""The addresses of a server: where it listens, and where others reach it."""

from __future__ import annotations

import ipaddress
import socket

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # what stands for all addresses, and this machine's own among them
ELSEWHERE = {socket.AF_INET: ("192.0.2.1", 9), socket.AF_INET6: ("2001:db8::1", 9)}  # addresses kept for examples
# Seconds before the system asks a silent connection whether it is there, between two such questions, and how many there
# are without an answer; and milliseconds that anything sent may wait for its receipt. Systems have some of them.
PATIENCE = {"TCP_KEEPIDLE": 30, "TCP_KEEPALIVE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}


def network_address(host: str) -> str:
    """Return the address at which others reach a server that listens on ``host``; without a network, the loopback's."""
    if host not in EVERYWHERE:
        return host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE[family])  # sends nothing: it only asks which network would be used
        except OSError:
            return own_address(host)
        return probe.getsockname()[0]


def own_address(host: str) -> str:
    """Return the address at which this machine reaches a server that listens on ``host``."""
    return EVERYWHERE.get(host, host)


def is_private(host: str) -> bool:
    """Tell whether only this machine reaches a host.

    >>> is_private("127.0.0.1"), is_private("localhost"), is_private("192.168.1.20"), is_private("0.0.0.0")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def web_address(host: str, port: int, base_url: str) -> str:
    """Return the address of a server.

    >>> web_address("192.168.1.20", 8866, "/"), web_address("fd00::20", 8866, "/rnnviz/")
    ('http://192.168.1.20:8866/', 'http://[fd00::20]:8866/rnnviz/')
    """
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{base_url}"


def shared_address(host: str, port: int, base_url: str, public: str = "") -> str:
    """Return the address at which others reach a server: that of its proxy, at the origin ``public``, or its own.

    >>> shared_address("127.0.0.1", 8866, "/rnnviz/", "https://rnnviz.example.edu")
    'https://rnnviz.example.edu/rnnviz/'
    """
    return public + base_url if public else web_address(network_address(host), port, base_url)


def notice_the_dead(listening: socket.socket) -> None:
    """Let the system end connections whose other end has been away for a minute, as that of a laptop that was closed.

    It asks the other system, so that a page that is only busy keeps its connection. What the socket accepts is like it.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, limit in PATIENCE.items():
        if hasattr(socket, name):
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), limit)
