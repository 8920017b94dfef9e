"""The register: people, identifiers, cards, households, residence."""
