"""Screens public posts for labour-rights signals and turns them into risk indicators per country and sector.

The six stages, in order; each name is the module, the CLI subcommand, the Airflow task and the heading in the docs:

1. ``collect``: posts from sources land in the lake, authors already pseudonymised.
2. ``detect_language``: each post gets a language guess, or ``und``.
3. ``classify``: each post gets relevance, voice and signals, with evidence.
4. ``aggregate``: distinct voices per country x sector become indicators with intervals.
5. ``publish``: data assertions and suppression, then rows in the results store.
6. ``review``: experts judge posts and sign off a release.

Start reading at :mod:`screener.pipeline`.
"""

__version__ = "0.1.0"
