"""Simulated markets whose every position is known: the judge of estimators, apart from the market that demos show."""
