"""The certificate of a node's doors: what is no pair is refused, what was renewed is taken."""

import os
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.node.config import Home, NodeConfig, OperatorError
from app.node.tls import Certificate, find_certificate
from tests.certificates import Authority

PAIR = NodeConfig(tls_certificate="node.pem", tls_key="node.key")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path)
    authority.issue(tmp_path / "node.pem", tmp_path / "node.key")
    return authority


def test_a_node_has_no_certificate_unless_it_is_told(tmp_path: Path) -> None:
    assert find_certificate(Home(tmp_path), NodeConfig()) is None


def test_a_pair_is_found_in_the_home_or_by_its_whole_path(
    authority: Authority, tmp_path: Path
) -> None:
    elsewhere = replace(PAIR, tls_key=str(tmp_path / "node.key"))
    for config in (PAIR, elsewhere):
        assert isinstance(find_certificate(Home(tmp_path), config), Certificate)


def test_what_is_no_pair_is_refused_in_words(authority: Authority, tmp_path: Path) -> None:
    home = Home(tmp_path)
    authority.issue(tmp_path / "other.pem", tmp_path / "other.key")
    (tmp_path / "text.pem").write_text("no certificate")
    for config, words in (
        (NodeConfig(tls_certificate="node.pem"), "tls_key: is missing"),
        (NodeConfig(tls_key="node.key"), "tls_certificate: is missing"),
        (replace(PAIR, tls_key="nowhere.key"), "one isn't there"),
        (replace(PAIR, tls_key="other.key"), "the key that belongs to it"),
        (replace(PAIR, tls_certificate="text.pem"), "text.pem.* can't be used"),
    ):
        with pytest.raises(OperatorError, match=words):
            find_certificate(home, config)


def shown_to(client: ssl.SSLContext, server: ssl.SSLContext) -> bytes:
    """The certificate that a server shows in a handshake."""
    ours, theirs = socket.socketpair()
    serving = threading.Thread(target=lambda: server.wrap_socket(theirs, server_side=True).close())
    serving.start()
    with client.wrap_socket(ours, server_hostname="127.0.0.1") as connection:
        shown = connection.getpeercert(binary_form=True)
    serving.join()
    assert shown
    return shown


def test_a_renewed_certificate_is_taken_and_half_a_pair_is_not(
    authority: Authority, tmp_path: Path
) -> None:
    certificate = find_certificate(Home(tmp_path), PAIR)
    assert certificate is not None
    client = ssl.create_default_context(cafile=authority.path)
    server = certificate.for_http()
    first = shown_to(client, server)
    assert shown_to(client, server) == first

    (tmp_path / "node.key").write_text("half written")
    os.utime(tmp_path / "node.key", ns=(1, 1))
    assert shown_to(client, server) == first

    authority.issue(tmp_path / "node.pem", tmp_path / "node.key")
    second = shown_to(client, server)
    assert second != first
    (tmp_path / "node.key").unlink()
    assert shown_to(client, server) == second
