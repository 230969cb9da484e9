"""What the calculators say: figures, the formula with its numbers, a picture, and what is left out."""
