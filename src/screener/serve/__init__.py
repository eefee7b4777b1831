"""Dashboard and API over the results store. START HERE: :func:`screener.serve.app.create_app`.

* :mod:`screener.serve.site`: what every route reads, kept for a moment so that many readers cost one query
* :mod:`screener.serve.api`: JSON under ``/v1``; shapes in :mod:`screener.serve.models`
* :mod:`screener.serve.pages`: HTML; what a page shows is built, without markup, in ``matrix`` and ``cell``
* :mod:`screener.words.language`: English and Swedish, equally; every sentence stands in :mod:`screener.words.catalogue`
* :mod:`screener.serve.problems`, :mod:`screener.serve.security`: errors and headers, the same for all routes
"""
