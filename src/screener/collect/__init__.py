"""Stage 1: posts from sources land in the lake; authors become keyed pseudonyms before anything is written."""
