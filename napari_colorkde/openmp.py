"""How torch's threads on the CPU wait for each other. Imports nothing, so it can come first."""

import os


def wait_without_spinning() -> None:
    """Let threads sleep at barriers instead of spinning there; to be called before torch is loaded.

    Where threads share cores with other work, the window's own among it, a thread that spins keeps
    the one it waits for from running: each parallel operation then stalls for some 12 ms. Programs
    of ours call this; importing the library does not, and a setting of the user's is left alone.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
