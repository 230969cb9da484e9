"""What the journal's templates are given."""
