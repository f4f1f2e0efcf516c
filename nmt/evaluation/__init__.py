"""From text to numbers and pictures: metrics and plots."""
