"""Rules for runs that learn from rewards: GRPO, RLOO and what they are called with other settings."""
