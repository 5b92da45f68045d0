"""What instructors make a lesson with: the build, the kill matrix, contracts and their fuzzing,
translations and the editions made of them.
"""
