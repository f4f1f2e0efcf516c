"""What a person types: one file a command, each to parse, call one core function, and print."""
