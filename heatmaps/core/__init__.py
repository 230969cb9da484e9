"""The estimator: pure numpy, no framework, no clock, no hidden randomness."""
