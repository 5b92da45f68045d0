"""What instructors make a lesson with: the build, the kill matrix, contracts and their fuzzing,
the template for translators, translations and the editions made of them.
"""
