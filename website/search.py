"""Search in Chinese, which Sphinx has only with a dictionary of 20 MB.

Chinese writes no spaces, so each character and each pair of neighbours is a term. What somebody
looks for is cut into the same pairs by the page; it is found where all of them stand.
"""

import itertools
import re

from sphinx.search.en import SearchEnglish

_RUN = re.compile(r"[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+")


class SearchChinese(SearchEnglish):
    """Chinese text with English names in it."""

    lang = "zh"
    # The name stays English: by it Sphinx calls the stemmer, which is that of the English words.
    js_splitter_code = r"""
var splitQuery = (query) =>
  [...query.matchAll(/[\u4e00-\u9fff]+|(?:(?![\u4e00-\u9fff])[\p{L}\p{N}_])+/gu)].flatMap(([run]) =>
    /^[\u4e00-\u9fff]{2}/.test(run)
      ? [...run.slice(1)].map((character, place) => run[place] + character)
      : [run],
  );
"""

    def split(self, input: str) -> list[str]:
        """Return the terms of a text: Chinese characters and pairs of them, and other words."""
        found = []
        for run in _RUN.findall(input):
            if "\u4e00" <= run[0] <= "\u9fff":
                found += [*run, *(a + b for a, b in itertools.pairwise(run))]
            else:
                found.append(run)
        return found
