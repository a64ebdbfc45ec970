"""How many pixels are marked, or belong to each class, for the tab "Classify"."""

from napari_colorkde.app.classification.threshold import above_threshold, active_threshold
from napari_colorkde.app.image.pixels.pixels_and_area import RegionSize, pixel_area, region_size
from napari_colorkde.app.session import Session

NO_CLASS = "no class"


def shown_sizes(session: Session) -> tuple[RegionSize, ...]:
    """Return the size of each class of a map of classes, or of what reaches the threshold.

    Empty while there is nothing, or while what is shown is not what is asked for any more. A
    millisecond for 440 000 colors.
    """
    densities, source, channels = session.densities, session.source, session.channels
    if densities is None or source is None or channels is None:
        return ()
    area = pixel_area(source, channels)
    counts, query = densities.request.palette.counts, densities.request.query
    if query is not None and query.show == "class":
        if query.classification.without_display != session.state.shown_classification:
            return ()
        names = enumerate(query.names, start=1)
        sizes = [region_size(n, densities.values == at, counts, area) for at, n in names]
        none = region_size(NO_CLASS, ~(densities.values > 0), counts, area)
        return (*sizes, *([none] if none.n_pixels else []))
    threshold = active_threshold(densities, session.state)
    if threshold is None:
        return ()
    name = "above the threshold" if query is None else query.cls
    return (region_size(name, above_threshold(densities, threshold), counts, area),)
