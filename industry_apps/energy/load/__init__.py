"""What is studied of load forecasts beside their benchmark."""
