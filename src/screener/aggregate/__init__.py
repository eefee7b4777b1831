"""Stage 4: classified posts become indicators per cell: attribution, distinct voices, shares, index, coverage, suppression."""
