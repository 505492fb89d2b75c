"""Parts of the quality benchmark: tables and splits, methods, learners, scores, shift, summary."""
