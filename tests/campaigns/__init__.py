"""Campaigns: the whole product against the double of a venue, for minutes. Short versions are part of the suite."""
