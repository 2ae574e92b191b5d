"""What a device can draw."""

from wattmark_core.catalogue import Domain
from wattmark_core.plausible import most_watts


def test_every_domain_has_its_bound() -> None:
    """2 kW a package or GPU, 20 kW a node or platform; a device's own limit comes first."""
    bounds = {domain: most_watts(domain) for domain in Domain}
    assert bounds.pop(Domain.PSYS) == 20_000
    assert set(bounds.values()) == {2_000}
    assert most_watts(Domain.GPU, 400.0) == 400
    assert most_watts(Domain.PSYS, 35_000.0) == 35_000
