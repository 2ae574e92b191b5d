"""Who may reach the service: this machine alone, unless it is protected."""

import ipaddress

from wattmark_core.errors import ConfigurationError


def check_exposure(
    listen_host: str, *, has_keys: bool, has_tls: bool, insecure_network: bool = False
) -> None:
    """Refuse to listen off loopback without keys, and without TLS unless ``insecure_network``.

    Without keys anybody who reaches the service can start runs, so they are needed even on a
    private network. Raises ``ConfigurationError``.
    """
    if is_loopback(listen_host):
        return
    place = f"{listen_host or 'all addresses'} is not loopback"
    if not has_keys:
        raise ConfigurationError(f"{place}: give --key-file, or listen on 127.0.0.1")
    if not (has_tls or insecure_network):
        raise ConfigurationError(
            f"{place}: give --tls-cert and --tls-key (wattmark tls init makes them), or"
            " --insecure-network for a private network"
        )


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine alone; no name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
