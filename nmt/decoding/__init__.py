"""From weights to text: search, scoring, precision of inference."""
