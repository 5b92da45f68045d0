"""Causes that were put together beforehand: one or two wrong steps of the exercise at once."""

from illustrated_attention.causes.evidence import Cause, Evidence, one_or_the_other
from illustrated_attention.fingerprints import fingerprint, matching
from illustrated_attention.language import _, together


def cause_in_steps(evidence: Evidence) -> Cause | None:
    """Return the wrong step or the two of them that give all that was returned.

    Where several fit, the simplest is told, or two with an "or" between; of more none.
    """
    combined = evidence.key.combined
    if combined is None:
        return None
    count = combined.prints.shape[1]
    # The visible cases stand first. Late ones were not run when these were wrong.
    tried = [one for one in evidence.tried if not one.case.late][:count]
    if len(tried) < count or not any(one.problem for one in tried):
        return None
    fitting = matching(combined, [fingerprint(one.outcome) for one in tried])
    fewest = min(map(len, fitting), default=0)
    fitting = [steps for steps in fitting if len(steps) == fewest]
    if not fitting or len(fitting) > 2:
        return None
    told = [together(*(_(combined.sentences[id]) for id in steps)) for steps in fitting]
    if fewest == 2:
        told = [_("Two things at once. {both}").format(both=both) for both in told]
    causes = [Cause("+".join(ids), words, True) for ids, words in zip(fitting, told, strict=True)]
    return one_or_the_other(causes)
