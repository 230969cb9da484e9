"""What the pages about the data are given: venues, series, strips and what is held, in words."""
