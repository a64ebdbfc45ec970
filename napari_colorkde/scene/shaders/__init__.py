"""The shaders as GLSL files, and `load`, which reads them.

Imports nothing of the project.
"""
