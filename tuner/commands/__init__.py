"""The commands of ``tuner``, one file each."""
