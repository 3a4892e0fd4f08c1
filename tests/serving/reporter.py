"""Django's page of an error, short: of the page only the exception's message is compared."""

from pathlib import Path

from django.views.debug import ExceptionReporter


class ShortReporter(ExceptionReporter):
    """Gathers all that Django's does, which may query; does not render it, a tenth of a run."""

    html_template_path = Path(__file__).parent / "templates" / "serving" / "error.html"
