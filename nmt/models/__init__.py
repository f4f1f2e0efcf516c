"""From ids to scores: encoder, attention, decoder, and their settings."""
