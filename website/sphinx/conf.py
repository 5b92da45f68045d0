"""Sphinx's settings for the website; `website/site.py` fills the folder and runs Sphinx."""

import os
from typing import Any

project = "Illustrated Attention"
author = "The Illustrated Attention authors"
copyright = "The Illustrated Attention authors. Text and figures: CC BY 4.0. Code: MIT"
html_title = "Illustrated Attention"
language = "en"

extensions = ["myst_nb"]
exclude_patterns = ["_static"]
nb_execution_mode = "off"  # the outputs are in the notebooks already
myst_heading_anchors = 4
myst_links_external_new_tab = False
# A notebook of the course shows HTML, or text where there is none.
nb_mime_priority_overrides = [("html", "text/html", 0)]
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
suppress_warnings = [
    "mystnb.unknown_mime_type",  # the live widget, for which the pictures stand
    "myst.header",  # lessons and documents are written for other readers too
    "misc.highlighting_failure",  # %pip and half-written code are no Python
]

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["colours.css", "site.css"]
html_copy_source = False
html_show_sphinx = False
html_sidebars: dict[str, list[str]] = {"index": []}
html_theme_options: dict[str, Any] = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": True,
}
if os.environ.get("COURSE_REPOSITORY"):
    html_theme_options["navbar_end"].append("navbar-icon-links")
    html_theme_options["icon_links"] = [
        {
            "name": "The course's repository",
            "url": os.environ["COURSE_REPOSITORY"],
            "icon": "fa-brands fa-github",
        }
    ]
