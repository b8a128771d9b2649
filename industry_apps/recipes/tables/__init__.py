"""What tables of records share: parts that do not leak, fit, baselines, evaluation."""
