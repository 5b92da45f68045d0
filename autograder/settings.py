"""What nbgrader_config.py tells nbgrader: which of its steps are ours.

Nothing here may raise: of a configuration that does, nbgrader takes nothing, logs the error, and
goes on. It would run student code unconfined and show hidden tests. A step that is named here and
cannot be imported stops it.
"""

import contextlib
import warnings

# Without nbgrader's CheckCellMetadata: the cells come from the released notebook, where
# `generate_assignment` has checked them.
SANITIZE = [
    "autograder.transplant.Transplant",
    "nbgrader.preprocessors.OverwriteCells",
]
AUTOGRADE = [
    "autograder.execute.ConfinedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
]
# What pages are made with: formgrader's, and feedback.
FILTERS = {
    "markdown2html": "autograder.safe.markdown2html",
    "highlight_code": "autograder.safe.highlight_code",
}
FEEDBACK = ["nbgrader.preprocessors.GetGrades", "autograder.feedback.ForTheStudent"]


def configure_grading(config) -> None:
    """Let nbgrader read, run and show hand-ins as strangers' work.

    Parameters
    ----------
    config : traitlets.config.Config
        What nbgrader_config.py calls `c`.
    """
    config.Autograde.sanitize_preprocessors = SANITIZE
    config.Autograde.autograde_preprocessors = AUTOGRADE
    config.Autograde.exporter_class = "autograder.execute.HandInExporter"
    config.GenerateAssignment.exporter_class = "autograder.release.ReleaseExporter"
    config.ExchangeFactory.collect = "autograder.collect.Collect"
    config.ExchangeFactory.release_assignment = "autograder.exchange.ReleaseAssignment"
    config.ExchangeFactory.release_feedback = "autograder.exchange.ReleaseFeedback"
    config.ZipCollectApp.extractor_plugin = "autograder.zip_collect.Extractor"
    config.ZipCollectApp.collector_plugin = "autograder.zip_collect.Collector"
    config.ZipCollectApp.force = True  # what is collected again takes the place of what was
    config.ExportApp.plugin_class = "autograder.tables.CsvExport"
    config.TemplateExporter.filters = FILTERS
    config.HTMLExporter.preprocessors = ["autograder.page.Bounded"]
    # SQLAlchemy warns about nbgrader's own way of adding a submission; the marks are right.
    warnings.filterwarnings("ignore", message="Object of type <Submitted(Assignment|Notebook)>")


def configure_feedback(config) -> None:
    """Let nbgrader write our feedback pages, and formgrader's pages load nothing from elsewhere."""
    config.GenerateFeedback.preprocessors = FEEDBACK
    config.GenerateFeedback.exporter_class = "autograder.feedback.FeedbackExporter"
    with contextlib.suppress(Exception):  # told by whoever imports the steps
        from autograder.feedback import formgrade_templates

        config.HTMLExporter.template_paths = formgrade_templates()
    with contextlib.suppress(Exception):
        from autograder import formgrader

        formgrader.replace_handlers()
