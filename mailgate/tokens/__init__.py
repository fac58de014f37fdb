"""Making and checking what names or proves something: pure; time, chance and keys are arguments."""
