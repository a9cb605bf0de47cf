"""Whom a participant connects to: gateways named by a party nobody knows.

The address is looked at where the socket is opened, so no name, number form, redirect or second
answer of a name server leads to a private one.
"""

import ipaddress
import socket
from dataclasses import dataclass

import aiohttp
from aiohttp import AddrInfoType
from yarl import URL

from fl_worker.blobs.cids import BlobFault

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(BlobFault):
    """A gateway is at an address nobody connects to unless told to, or has no proper URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLimits:
    """How far a transfer goes before it gives up."""

    allow_private: bool = False
    size_bytes_max: int = 4 << 30
    blocks_at_once: int = 4
    attempts: int = 4
    # Doubles before each further attempt.
    backoff_s: float = 0.5
    connect_timeout_s: float = 5.0
    silence_timeout_s: float = 15.0
    block_timeout_s: float = 120.0


DEFAULT_LIMITS = TransferLimits()


def open_session(limits: TransferLimits) -> aiohttp.ClientSession:
    """A session that keeps the limits, follows no cookies or proxies and unpacks nothing."""
    connector = aiohttp.TCPConnector(
        happy_eyeballs_delay=None,  # one address after the other: a refusal ends the attempt
        limit_per_host=limits.blocks_at_once,
        socket_factory=None if limits.allow_private else open_public_socket,
    )
    timeout = aiohttp.ClientTimeout(
        total=limits.block_timeout_s,
        sock_connect=limits.connect_timeout_s,
        sock_read=limits.silence_timeout_s,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},
    )


def open_public_socket(info: AddrInfoType) -> socket.socket:
    """A socket for one resolved address; AddressRefused when that is private."""
    family, kind, protocol, _, address = info
    if is_private(str(address[0])):
        raise AddressRefused(
            f"address {address[0]} is private: set allow_private to connect to it nevertheless"
        )
    return socket.socket(family, kind, protocol)


def is_private(address: str) -> bool:
    """Whether an IP address is not one of the public internet; loopback and multicast count too."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            ip = ipaddress.IPv4Address(ip.packed[-4:])
        else:
            ip = ip.ipv4_mapped or ip.sixtofour or ip
    return not ip.is_global or ip.is_multicast or ip.is_reserved


def block_url(gateway: str, cid: str) -> URL:
    """Where a gateway serves a block; AddressRefused when the gateway is no plain HTTP URL."""
    try:
        url = URL(gateway)
        parts = (url.user, url.password, url.query_string, url.fragment)
        is_plain = url.scheme in ("http", "https") and bool(url.host) and not any(parts)
    except ValueError:
        is_plain = False
    if not is_plain:
        raise AddressRefused(
            f"gateway {gateway[:200]!r} is no plain URL: give one such as https://reader.example:8080"
        )
    return url / "ipfs" / cid
