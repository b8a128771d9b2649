"""Schedules of jobs on machines: the model, its solution, and what stands in the way of one."""
