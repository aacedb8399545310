"""Runs that learn from rewards (GRPO, RLOO and their variants): what they show beside a loss that is no signal."""
