"""The application that the READMEs' examples make."""
