"""The course in the browser: `lite`, to work in without installing; `site`, to read."""
