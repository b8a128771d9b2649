"""What people give of a grid, read and checked: MATPOWER cases, loads, limits of units."""
