"""Parts of the bias-correction benchmark: trials (rows with signed weights), learners that take them, tables."""
