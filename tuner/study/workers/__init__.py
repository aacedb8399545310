"""Several workers on one study: claims, locks, storage, lost workers, out of memory."""
