"""The paper replayed: its error rates to the digit, its figures with its arms, and the same with fair arms."""
