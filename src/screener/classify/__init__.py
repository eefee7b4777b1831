"""Stage 3: relevance, voice and signals of a post, with the span that speaks for each.

A cascade, because workers' posts are perhaps one in a thousand: a cheap gate (lexicon and hashed character n-grams)
keeps nearly all relevant posts; multilingual sentence embeddings with scikit-learn heads judge what it lets through.
"""
