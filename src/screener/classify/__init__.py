"""Stage 3: relevance, voice and signals of a post, with the span that speaks for each.

A cascade, because workers' posts are perhaps one in a thousand: a cheap gate (n-grams of the wording
and vectors of its tokens) keeps nearly all relevant posts; the encoder, fine-tuned for all questions at once, judges
what it lets through, and scikit-learn turns its logits into probabilities.
"""
