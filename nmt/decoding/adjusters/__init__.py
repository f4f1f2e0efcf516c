"""What changes a search beyond the model's own scores, one idea a file."""
