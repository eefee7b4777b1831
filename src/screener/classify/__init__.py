"""Stage 3: relevance, voice and signals of a post, with the span that speaks for each.

A cascade, because workers' posts are perhaps one in a thousand: an encoder of two layers (the gate)
keeps nearly all relevant posts; the full encoder, fine-tuned for all questions at once, judges what it lets through, and
scikit-learn turns its logits into probabilities.
"""
