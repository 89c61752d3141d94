"""What a dialect cannot express, found and named so that nothing is lost silently; converts nothing."""
