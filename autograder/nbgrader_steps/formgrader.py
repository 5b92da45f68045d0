"""formgrader's answers to a browser: a hand-in's files never act in the instructor's name.

formgrader serves what lies beside a graded notebook from its own address. A page among it, with a
script in it, could do there whatever the instructor can.
"""

import os
import re
import sys
from pathlib import PurePosixPath
from typing import Any

PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_HANDLERS = "nbgrader.server_extensions.formgrader.handlers"
# formgrader's own scripts stand in its pages; all else comes from its server or is refused.
_PAGE = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data:; object-src 'none'; "
    "frame-src 'none'; base-uri 'none'; form-action 'self'"
)


def replace_handlers() -> None:
    """Put ours in the place of nbgrader's in a server that is about to load formgrader.

    nbgrader has no setting for it. Its configuration is read when formgrader is loaded and its
    handlers are not in use yet.
    """
    handlers: Any = sys.modules.get(_HANDLERS)
    if handlers is None or hasattr(handlers, "illustrated_attention"):
        return
    ours = {
        handlers.SubmissionFilesHandler: _files(handlers.SubmissionFilesHandler),
        handlers.SubmissionHandler: _page(handlers.SubmissionHandler),
    }
    handlers.default_handlers[:] = [
        (pattern, ours.get(handler, handler), *rest)
        for pattern, handler, *rest in handlers.default_handlers
    ]
    handlers.illustrated_attention = True


def _files(nbgraders: Any):
    class SubmissionFiles(nbgraders):
        """Pictures are shown; all else is to be saved, and is nothing to a browser."""

        def validate_absolute_path(self, root, absolute_path):
            folder = self.parse_url_path(f"{self.path_args[0].split('/')[0]}/")
            return super().validate_absolute_path(os.path.join(root, folder), absolute_path)

        @property
        def content_security_policy(self):
            return "default-src 'none'; sandbox; frame-ancestors 'none'"

        def get_content_type(self):
            suffix = PurePosixPath(self.absolute_path).suffix.lower()
            return PICTURES.get(suffix, "application/octet-stream")

        def set_extra_headers(self, path):
            self.set_header("X-Content-Type-Options", "nosniff")
            self.set_header("Cache-Control", "no-store")
            if self.get_content_type() not in PICTURES.values():
                name = re.sub(r"[^\w.-]", "_", PurePosixPath(path).name, flags=re.ASCII)
                self.set_header("Content-Disposition", f'attachment; filename="{name}"')

    return SubmissionFiles


def _page(nbgraders: Any):
    class Submission(nbgraders):
        """A page that loads nothing from elsewhere and sends nothing there."""

        @property
        def content_security_policy(self):
            return f"{super().content_security_policy}; {_PAGE}"

    return Submission
