"""Stream state: what is known of each entity as of a moment, kept in constant time."""
