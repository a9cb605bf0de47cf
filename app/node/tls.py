"""TLS for gRPC and REST: one certificate for both doors, read again when it was renewed."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc

from app.node.config import Home, NodeConfig, OperatorError


class Certificate:
    """A certificate with its chain, and its key, in two PEM files."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read both; OperatorError says what is wrong with them."""
        self._certificate, self._key = certificate, key
        self._times = self._find_times()
        self._context, self._pair = self._load()

    def for_http(self) -> ssl.SSLContext:
        """Return what a server of HTTP needs; each handshake has the files as they are then."""
        context = self._context

        def renew(connection: Any, name: str | None, first: ssl.SSLContext) -> None:
            self._refresh()
            connection.context = self._context

        context.sni_callback = renew
        return context

    def for_grpc(self) -> Any:
        """Return what a gRPC server needs; each handshake has the files as they are then."""

        def renew() -> Any:
            self._refresh()
            return grpc.ssl_server_certificate_configuration([self._pair])

        return grpc.dynamic_ssl_server_credentials(renew(), renew)

    def _refresh(self) -> None:
        """Take files that have changed, if they are a pair; else the old ones serve on."""
        times = self._find_times()
        if times != self._times:
            with suppress(OperatorError):
                (self._context, self._pair), self._times = self._load(), times

    def _find_times(self) -> tuple[int, ...]:
        try:
            return tuple([path.stat().st_mtime_ns for path in (self._certificate, self._key)])
        except OSError:
            return ()

    def _load(self) -> tuple[ssl.SSLContext, tuple[bytes, bytes]]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        words = f"tls_certificate {self._certificate}, tls_key {self._key}"
        try:
            context.load_cert_chain(self._certificate, self._key)
        except FileNotFoundError:
            advice = "put it there or leave both out"
            raise OperatorError(f"{words}: one isn't there; {advice}") from None
        except OSError as error:  # of which SSLError is one
            reason = getattr(error, "reason", "") or error
            advice = "give a certificate and the key that belongs to it, both as PEM"
            raise OperatorError(f"{words}: can't be used: {reason}; {advice}") from None
        return context, (self._key.read_bytes(), self._certificate.read_bytes())


def find_certificate(home: Home, config: NodeConfig) -> Certificate | None:
    """Return a node's certificate, or None where its doors are open ones."""
    if bool(config.tls_certificate) != bool(config.tls_key):
        missing = "tls_key" if config.tls_certificate else "tls_certificate"
        raise OperatorError(f"{missing}: is missing; give both in pollend.toml, or neither")
    if not config.tls_certificate:
        return None
    return Certificate(home.path / config.tls_certificate, home.path / config.tls_key)
