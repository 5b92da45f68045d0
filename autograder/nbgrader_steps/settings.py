"""What nbgrader_config.py tells nbgrader: which of its steps are ours.

Nothing here may raise: of a configuration that does, nbgrader takes nothing, logs the error, and
goes on. It would run student code unconfined and show hidden tests. A step that is named here and
cannot be imported stops it.
"""

import contextlib
import warnings
from pathlib import Path

_HERE = "autograder.nbgrader_steps"
_OFFLINE = Path(__file__).parent / "templates" / "offline"

# Without nbgrader's CheckCellMetadata: the cells come from the released notebook, where
# `generate_assignment` has checked them.
SANITIZE = [
    f"{_HERE}.transplant.Transplant",
    "nbgrader.preprocessors.OverwriteCells",
]
AUTOGRADE = [
    f"{_HERE}.execute.ConfinedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
]
# What pages are made with: formgrader's, and feedback.
FILTERS = {
    "markdown2html": f"{_HERE}.page.markdown2html",
    "highlight_code": f"{_HERE}.page.highlight_code",
}
FEEDBACK = [f"{_HERE}.feedback.Grades", f"{_HERE}.feedback.ForTheStudent"]


def configure_grading(config) -> None:
    """Let nbgrader read, run and show hand-ins as strangers' work.

    Parameters
    ----------
    config : traitlets.config.Config
        What nbgrader_config.py calls `c`.
    """
    config.Autograde.sanitize_preprocessors = SANITIZE
    config.Autograde.autograde_preprocessors = AUTOGRADE
    config.Autograde.exporter_class = f"{_HERE}.converter.HandInExporter"
    config.GenerateAssignment.exporter_class = f"{_HERE}.release.ReleaseExporter"
    config.ExchangeFactory.collect = f"{_HERE}.collect.Collect"
    config.ExchangeFactory.release_assignment = f"{_HERE}.exchange.ReleaseAssignment"
    config.ExchangeFactory.release_feedback = f"{_HERE}.exchange.ReleaseFeedback"
    config.ZipCollectApp.extractor_plugin = f"{_HERE}.zip_collect.Extractor"
    config.ZipCollectApp.collector_plugin = f"{_HERE}.zip_collect.Collector"
    config.ZipCollectApp.force = True  # what is collected again takes the place of what was
    config.AssignLatePenalties.plugin_class = f"{_HERE}.late.LatePenalty"
    config.ExportApp.plugin_class = "autograder.nbgrader_steps.tables.CsvExport"
    config.TemplateExporter.filters = FILTERS
    config.HTMLExporter.preprocessors = [f"{_HERE}.page.Bounded"]
    # SQLAlchemy warns about nbgrader's own way of adding a submission; the marks are right.
    warnings.filterwarnings("ignore", message="Object of type <Submitted(Assignment|Notebook)>")


def configure_feedback(config) -> None:
    """Let nbgrader write our feedback pages, and formgrader's pages load nothing from elsewhere.

    All steps are named, not imported: JupyterLab and every command of nbgrader read this at start.
    """
    config.GenerateFeedback.preprocessors = FEEDBACK
    config.GenerateFeedback.exporter_class = f"{_HERE}.feedback.FeedbackExporter"
    # formgrader's page has no setting: ours is found before it.
    config.HTMLExporter.template_paths.prepend([str(_OFFLINE)])
    with contextlib.suppress(Exception):  # told by whoever imports the steps
        from autograder.nbgrader_steps import formgrader

        formgrader.replace_handlers()
