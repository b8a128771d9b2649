"""What only texts need: reasons by word, baselines, trends."""
