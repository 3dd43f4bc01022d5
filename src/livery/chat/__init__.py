"""From a resolved profile to a conversation: engines answer, and everything above them knows no vendor."""
