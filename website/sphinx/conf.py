"""Sphinx's settings for one edition; `website/site.py` fills the folder and runs Sphinx.

The folders of the other editions lie beside this one, so that a page knows which of them have it.
"""

import os
from pathlib import Path
from typing import Any

from illustrated_attention.language import _, use
from website.editions import Edition, editions
from website.search import SearchChinese

HERE = Path(__file__).resolve().parent
edition = Edition(os.environ["COURSE_LANGUAGE"])
use(edition.language)

project = "Illustrated Attention"
author = _("The Illustrated Attention authors")
copyright = _("The Illustrated Attention authors. Text and figures: CC BY 4.0. Code: MIT")
html_title = _("Illustrated Attention")
language = edition.language
locale_dirs = ["locale"]

extensions = ["myst_nb"]
exclude_patterns = ["_static"]
templates_path = ["_templates"]
nb_execution_mode = "off"  # the outputs are in the notebooks already
myst_heading_anchors = 4
myst_links_external_new_tab = False
# A notebook of the course shows HTML, or text where there is none.
nb_mime_priority_overrides = [("html", "text/html", 0)]
nb_code_prompt_show = _("Show the code")
nb_code_prompt_hide = _("Hide the code")
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
    "logo": {"text": html_title},
    "navbar_align": "left",
    "navbar_end": ["other-languages", "theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_dropdown_text": _("More"),
    "header_links_before_dropdown": 6,
    "search_bar_text": _("Search"),
    "show_prev_next": True,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": True,
}
if os.environ["COURSE_REPOSITORY"]:
    html_theme_options["navbar_end"].append("navbar-icon-links")
    html_theme_options["icon_links_label"] = _("Elsewhere")
    html_theme_options["icon_links"] = [
        {
            "name": _("The course's repository"),
            "url": os.environ["COURSE_REPOSITORY"],
            "icon": "fa-brands fa-github",
        }
    ]


def other_languages(app, pagename, _template, context, _doctree):
    """Tell each page where it is in the other languages, and where they begin."""
    up = "../" * pagename.count("/") + edition.up
    context["other_languages"] = [
        {
            "name": other.name,
            "tag": other.language.replace("_", "-"),
            # What is no document, such as the page of the search, each edition has.
            "same_page": pagename not in app.env.all_docs
            or any((HERE.parent / other.language).glob(f"{pagename}.*")),
            "start": up + other.folder,
        }
        for other in editions()
        if other != edition
    ]


def setup(app):
    """Let Sphinx know what it lacks."""
    app.add_search_language(SearchChinese)
    app.connect("html-page-context", other_languages)
