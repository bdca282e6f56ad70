"""The notebook of the repository, from beginning to end: no cell fails, and what it says of its numbers holds."""

import nbclient
import nbformat

from conftest import ROOT

NOTEBOOK = ROOT / "examples/ig_and_ap.ipynb"


def test_the_notebook_runs_and_says_what_it_shows():
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    ran = nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    outputs = [output for cell in ran.cells if cell.cell_type == "code" for output in cell.outputs]
    text = "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)
    figures = [output for output in outputs if "data:image/svg+xml" in output.get("data", {}).get("text/html", "")]
    assert len(figures) == 2, "the pair, and the one whose heads stand in for each other"
    assert "320 layers: the two differ by" in text, text
    # What its words say of the layer whose heads stand in for each other.
    first = next(line for line in text.splitlines() if line.startswith("0 ") and len(line.split()) == 5)
    alone, together = (float(number) for number in first.split()[1:3])
    assert alone < 0.25 * together, first
    assert not any(output.output_type == "error" for output in outputs)
