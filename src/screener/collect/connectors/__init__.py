"""One module a kind of source, each ending in a ``CONNECTOR`` record; listed in :mod:`screener.collect.registry`."""
