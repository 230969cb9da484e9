"""What the pages of alerts are given, and the words of what is told: facts with their doubt, never advice."""
