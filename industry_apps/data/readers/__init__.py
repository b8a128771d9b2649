"""Files of one data set that have a form of their own, by industry."""
