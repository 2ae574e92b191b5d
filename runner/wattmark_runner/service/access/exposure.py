"""Who may reach the service: this machine alone, unless it is protected."""

from wattmark_core.errors import ConfigurationError
from wattmark_core.net import is_loopback


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
