"""The estimate of a run's learning rate: fitted on runs whose best rate is known, scored on sources left out."""
