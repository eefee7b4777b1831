"""Stage 3: relevance, voice and signals of a post, with the span that speaks for each.

A cascade, because workers' posts are perhaps one in a thousand: two cheap gates (n-grams of the wording,
then an encoder of two layers) keep nearly all relevant posts; the full encoder, fine-tuned for all questions at once, judges
what they let through, and scikit-learn turns its logits into probabilities.
"""
