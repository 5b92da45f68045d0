"""The commands for a whole class: grade, report, doctor; and `mine`, for one's own work."""
