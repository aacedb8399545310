"""What the files beside a log say of its run: arguments, adapter, model and model card; none of them is executed."""
