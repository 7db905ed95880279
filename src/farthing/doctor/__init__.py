"""What ``farthing doctor`` looks at: each look is a function that says what it found and what to do."""
