"""All commands, one per file, named as the command is. `cli.command_list` lists them.

May import everything in `cli`; the engine is imported when a command runs.
"""
