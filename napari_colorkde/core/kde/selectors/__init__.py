"""How bandwidths are chosen: held-out pixels, plug-in rules, and the shapes searched.

May import `core.kde.leave_one_out` and `core.checks.covariance`. The search itself is in
`core.kde.selectors.bandwidth_search`, the table of rules in `core.kde.bandwidth_rules`.
"""
