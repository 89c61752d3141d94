"""Whether a port can be listened on; not what listens there."""

import socket

from sternpost.base.errors import ConfigurationError


def is_free(host: str, port: int) -> bool:
    """Say whether a server could bind there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose(host: str, port: int, *, may_move: bool) -> int:
    """Return a free port: the one asked for, else the next free one within 20 if that is allowed.

    Raises: ConfigurationError.
    """
    candidates = range(port, port + 20) if may_move and port else (port,)
    for candidate in candidates:
        if is_free(host, candidate):
            return candidate if candidate else _any_free(host)
    raise ConfigurationError(
        f"port {port} on {host} is taken by another program; stop it or choose another with --port N"
    )


def _any_free(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
