"""Stage 6: experts judge posts and sign off a release. Rules here are pure; the queue lives in the results store."""
