"""What scripts, files and habits of version 0.1.0 rely on: it keeps working.

The tests here know public names only, and so do not care how the package is arranged within; the
few places where that is not possible are in `doors`. ``data/0.1.0`` holds files as that version
wrote them. They are never written again, and not corrected either: a test that fails here has found
a change that breaks somebody's work, and it is the program that is to be changed.
"""
