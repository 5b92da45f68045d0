"""The locked process. All of this folder, and nothing else of the package, is copied into it."""
