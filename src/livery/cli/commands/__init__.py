"""The commands, one file or package per noun; each is imported when it runs."""
