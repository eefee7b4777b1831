"""Labelled posts that the project wrote itself: invented, in many languages, every label, many hard negatives."""
