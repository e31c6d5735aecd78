"""Values to text: pure functions, one file per format."""
