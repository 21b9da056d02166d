"""The problems that contenders are compared on, each a module with a function that makes it."""
