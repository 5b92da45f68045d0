"""The commands for a whole class: grade, report, doctor; and `mine`, for one's own work."""

import sys

# nbgrader imports jsonschema, and that one a grammar of international web addresses, of which no
# notebook has any: a third of the time to start. jsonschema does without where it is not installed.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
