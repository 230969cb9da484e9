"""A pytest plug-in: servers for the run. Outside servers given by DATABASE_URL and REDIS_URL are used as they are."""
