"""What a page shows, read and put into words: above the queries, below the doors. Nothing here writes."""
