"""Pages of access: the account, its mail."""
