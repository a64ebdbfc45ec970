"""A confusion matrix of classes as a small table of text."""

from html import escape

from napari_colorkde.core.classification.class_confusion import ClassConfusion
from napari_colorkde.core.number_text import grouped, percentage

MAX_ROWS = 12


def confusion_html(confusion: ClassConfusion) -> str:
    """Return accuracy and a table, true labels down and classes across, that can be copied."""
    columns = [*range(1, len(confusion.classes) + 1)]
    if confusion.counts[:, 0].any():
        columns.append(0)
    names = ["none", *confusion.classes]
    titles = ["label", *(names[column] for column in columns), "recall"]
    rows = ["".join(_cell(title, "th") for title in titles)]
    places = zip(confusion.labels, confusion.class_of, confusion.recalls, strict=True)
    for row, (label, right, recall) in enumerate(places):
        if row == MAX_ROWS:
            rows.append(_cell(f"… {len(confusion.labels) - MAX_ROWS} more"))
            break
        numbers = [(c, grouped(int(confusion.counts[row, c]))) for c in columns]
        counts = [_cell(number, "b" if c == right else "") for c, number in numbers]
        meant = f"{label} = {names[right]}" if right is not None else f"{label}: no class"
        head = str(label) if right is not None and names[right] == str(label) else meant
        rows.append("".join([_cell(head), *counts, _cell(percentage(recall))]))
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    head = (
        f"Accuracy {percentage(confusion.accuracy)} of {grouped(confusion.n_pixels)} labeled "
        "pixels. True labels down, classes across."
    )
    return f"{head}<table cellspacing='4'>{table}</table>"


def _cell(text: str, kind: str = "") -> str:
    shown = escape(text)
    if kind == "th":
        return f"<th align='right'>{shown}</th>"
    return f"<td align='right'>{'<b>' if kind else ''}{shown}{'</b>' if kind else ''}</td>"
