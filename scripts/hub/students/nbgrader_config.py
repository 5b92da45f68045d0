"""nbgrader's settings for students on a JupyterHub; ../jupyterhub_config.py names this folder.

Lessons are fetched into the student's home, and handed in from there.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821 (nbgrader puts it there)

c.CourseDirectory.course_id = "illustrated-attention"
c.CourseDirectory.root = str(Path.home())
c.Exchange.root = os.environ["ILLUSTRATED_ATTENTION_EXCHANGE"]
c.Exchange.assignment_dir = str(Path.home())
