"""The same density from here and from other libraries, compared with the sum itself.

May import `core.kde` and below; other libraries are imported when they are asked. Used by `app`
and `cli`.
"""
