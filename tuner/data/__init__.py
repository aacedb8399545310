"""Data of any known format and place as the training and held-out sets that TRL takes."""

from tuner.data.files import DataError
from tuner.data.loading import Data, load_data

__all__ = ["Data", "DataError", "load_data"]
