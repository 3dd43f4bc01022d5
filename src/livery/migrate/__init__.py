"""From older files to today's, with a proof that every profile resolves to what it did before."""
