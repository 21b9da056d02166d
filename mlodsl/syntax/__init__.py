"""The syntax: text to tree (`parse_program`), tree to text (`format_program`), and `walk`."""

from .format_expression import format_expression as format_expression
from .formatter import format_program as format_program
from .parser import parse_expression as parse_expression, parse_program as parse_program
from .reading import decode as decode
from .walk import walk as walk
