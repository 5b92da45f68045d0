"""What a stranger wrote is read as such: what counts is kept, and a refusal says why."""

import json
import time
import tracemalloc

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.nbgrader_steps import refused_files, strangers_notebook


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "damaged"),
        (b"\xff\xfe\x00", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b'{"nbformat": ' + b"9" * 10_000 + b"}", "damaged"),
        (b"[]", "format 4"),
        (b'{"nbformat": 5, "cells": []}', "format 4"),
        (b'{"nbformat": 3, "worksheets": [1]}', "format is old, and it is damaged"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "no list of cells"),
        (b'{"nbformat": 4, "cells": {"a": 1}}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [{"source": 5}]}', "Cell 1"),
        (b'{"nbformat": 4, "cells": [{"source": [["x"]]}]}', "Cell 1"),
        (json.dumps({"nbformat": 4, "cells": [{}] * 501}).encode(), "501 cells"),
        (json.dumps({"nbformat": 4, "cells": [{"source": "x" * 10**6}]}).encode(), "longer"),
        (b" " * (refused_files.MAX_NOTEBOOK + 1), "larger"),
    ],
)
def test_what_is_no_notebook_is_refused(text, reason):
    with pytest.raises(refused_files.Refused, match=reason):
        strangers_notebook.read_notebook(text)


def test_only_what_counts_is_kept():
    cells = [
        {
            **{"cell_type": "code", "id": "a", "source": ["x = 1\n", "y = 2"]},
            **{"outputs": [{"data": {"text/html": "<script>"}}], "execution_count": 7},
            "metadata": {"tags": ["skip-execution"], "nbgrader": {"grade_id": "g", "points": 99}},
        },
        {"cell_type": "markdown", "id": "../../etc", "source": "text", "metadata": []},
        {"cell_type": "no such type", "source": "more"},
        {"cell_type": "raw", "source": "a\nb"},
    ]
    about = {"title": "<script>", "language_info": {"version": "3.12.1", "x": "<script>"}}
    document = {"nbformat": 4, "cells": cells, "metadata": about}
    read = strangers_notebook.read_notebook(json.dumps(document))
    assert read.metadata == {"language_info": {"name": "python", "version": "3.12.1"}}
    code, text, other, raw = read.cells
    assert code.source == "x = 1\ny = 2"
    assert code.outputs == []
    assert code.metadata == {"nbgrader": {"grade_id": "g"}}
    assert text.id != "../../etc"
    assert (other.cell_type, raw.cell_type) == ("markdown", "raw")


def test_attached_pictures_stay_and_other_attachments_go():
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    cell = new_markdown_cell("![a](attachment:a.png)")
    cell.attachments = {
        **{"a.png": {"image/png": png}, "b.svg": {"image/svg+xml": "<svg onload='x'/>"}},
        "c.png": {"image/png": "bm90IGEgcG5n"},
    }
    (read,) = strangers_notebook.read_notebook(json.dumps(new_notebook(cells=[cell]))).cells
    assert list(read.attachments) == ["a.png"]


def test_a_notebook_of_an_old_format_is_brought_to_ours():
    cells = [
        {"cell_type": "code", "language": "python", "input": ["x = 1\n", "y"], "outputs": [5]},
        {"cell_type": "heading", "level": 2, "source": "Title"},
    ]
    document = {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}
    code, heading = strangers_notebook.read_notebook(json.dumps(document)).cells
    assert (code.cell_type, code.source) == ("code", "x = 1\ny")
    assert (heading.cell_type, heading.source) == ("markdown", "## Title")


def test_of_a_notebook_with_huge_outputs_the_sources_are_read():
    cells = [new_code_cell('x = {"outputs": [1]}', id="one"), new_code_cell("y = 2", id="two")]
    document = new_notebook(cells=cells)
    shown = {"text/plain": 'a "quoted" ]}', "image/png": "A" * (30 << 20)}
    data = {"output_type": "display_data", "data": shown, "metadata": {}}
    cells[0].outputs = [data]
    document.metadata.widgets = {"state": {"deep": [[[{}]]]}}
    text = json.dumps(document, indent=1).encode()
    tracemalloc.start()
    try:
        read = strangers_notebook.read_notebook(text)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert [cell.source for cell in read.cells] == [cell.source for cell in cells]


@pytest.mark.parametrize(
    "text",
    [
        b'{"outputs":' + b"[" * (20 << 20),
        b'{"a":"' + b"\\n" * (9 << 20) + b'"}',
        b'"' * (20 << 20),
        b'{"outputs":["' + b"\\" * (9 << 20) + b'"]}',
        b'{"nbformat":3,"worksheets":[],"x":[' + b"{}," * (5 << 20) + b"{}]}",
    ],
    ids=lambda text: text[:14].decode(),
)
def test_a_bomb_of_text_is_refused_in_little_time(text):
    start = time.process_time()
    with pytest.raises(refused_files.Refused):
        strangers_notebook.read_notebook(text)
    assert time.process_time() - start < 5


def test_half_characters_do_not_stop_the_grader():
    (cell,) = strangers_notebook.read_notebook(
        '{"nbformat": 4, "cells": [{"source": "\\ud800"}]}'
    ).cells
    cell.source.encode("utf-8")


def test_an_honest_notebook_comes_through():
    cells = [new_code_cell("x = 1", id="one"), new_markdown_cell("# Title", id="two")]
    read = strangers_notebook.read_notebook(json.dumps(new_notebook(cells=cells)))
    assert [(c.cell_type, c.id, c.source) for c in read.cells] == [
        ("code", "one", "x = 1"),
        ("markdown", "two", "# Title"),
    ]
