"""The voter roll and how an import changes it."""
