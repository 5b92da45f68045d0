"""What is raised where a command cannot go on; light, for the command line imports it at once."""


class Problem(Exception):
    """A command cannot do what it was asked. The text says why and what to do."""
