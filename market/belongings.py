"""Venues that a person may set as theirs."""

from access.registry import VENUES
from market.queries.venues import venue_name
from market.sources import SOURCES

VENUES.update({slug: venue_name(slug) for slug in SOURCES if slug != "simulated"})
