"""Which format a file is in, by its content, and how an image is decoded from it.

May import `io.formats`, where each format has its code. `io.images` is what others call.
"""
