"""`environments:` of sternpost.yaml; which names are possible is checked in `rules`."""

from sternpost.base.config_section import ConfigSection

SECTION = ConfigSection("environments", list[str], list[str])
