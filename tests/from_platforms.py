"""Files as learning platforms pack them, and `nbgrader zip_collect`, which takes them in."""

import json

from nbgrader.apps.zipcollectapp import ZipCollectApp
from small_course import ASSIGNMENT, NOTEBOOK


def notebook_of(who):
    return json.dumps({"nbformat": 4, "cells": [], "metadata": {"who": who}}).encode()


def downloaded(course):
    """The folder for what was downloaded."""
    folder = course.root / "downloaded" / ASSIGNMENT / "archive"
    folder.mkdir(parents=True)
    return folder


def zip_collect(course, monkeypatch, caplog, settings=""):
    """Run `nbgrader zip_collect`; return whose notebook each student has, and what was said."""
    course.write_settings(settings)
    monkeypatch.chdir(course.root)
    caplog.clear()
    app = ZipCollectApp()
    app.initialize([ASSIGNMENT])
    app.log.propagate = True
    app.start()
    paths = (course.root / "submitted").glob(f"*/{ASSIGNMENT}/{NOTEBOOK}.ipynb")
    found = {p.parents[1].name: json.loads(p.read_text())["metadata"]["who"] for p in paths}
    return found, "\n".join(caplog.messages)
