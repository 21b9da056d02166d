"""Reads the arrays that a model's `data` statements name: csv, npy, npz, and the caller's."""

from .load import content_hash as content_hash, load_data as load_data
from .structure import LoadedData as LoadedData
