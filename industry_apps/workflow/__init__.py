"""Train, judge and answer a table: what the command line and the benchmark share."""
