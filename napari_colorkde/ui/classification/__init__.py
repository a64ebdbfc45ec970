"""The tab in which pixels are classified: controls, ground truth, ROC curve.

May import `ui.widgets`; the answers come from the session.
"""
