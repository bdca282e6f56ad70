"""Runs the Jupyter notebook of a bundle, as the page writes it, and says how far the two are apart.

    python run_notebook.py twinbeam-mini-noising.zip ../../assets/models/mini

Run by hand in an environment made from requirements.txt; not part of CI. The notebook itself fails where its numbers
and the page's differ by more than rounding. Its code is run cell by cell, without Jupyter.
"""

import argparse
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

NEEDED = {"README.txt", "result.json", "scores.csv", "figure.svg", "reproduce.ipynb"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, help="zip from the page's Bundle button")
    parser.add_argument("model", nargs="?", type=Path, help="folder of the model, in place of the notebook's own")
    options = parser.parse_args()
    model = options.model and str(options.model.resolve())
    # A picture must not wait for somebody to close it.
    os.environ.setdefault("MPLBACKEND", "Agg")
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(options.bundle) as bundle:
            assert bundle.testzip() is None
            names = set(bundle.namelist())
            assert names >= NEEDED, NEEDED - names
            bundle.extractall(folder)
        os.chdir(folder)
        notebook = json.loads(Path("reproduce.ipynb").read_text(encoding="utf-8"))
        assert notebook["nbformat"] == 4
        names = {"__name__": "__main__"}
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for place, cell in enumerate(cells):
            exec(compile("".join(cell["source"]), f"cell {place + 1}", "exec"), names)
            # The first cell says where the model is, the second one loads it.
            if place == 0 and model:
                names["MODEL"] = model
    sys.exit(0)


if __name__ == "__main__":
    main()
