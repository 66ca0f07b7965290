"""The files that people and other systems hand in, and those we write for them: text in, values out."""
