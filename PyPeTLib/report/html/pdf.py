"""A page as PDF, laid out as it would be printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyPeTLib.errors import InputError
from PyPeTLib.io.writing import write_whole

_MISSING = (
    "PDF needs WeasyPrint and Pango, and {what}. Install them with: pip install '.[pdf]' (Pango is a system library, "
    "on Debian: apt install libpango-1.0-0 libpangoft2-1.0-0), or print the HTML report from a browser."
)


def write_pdf(html: Path, pdf: Path) -> None:
    """Write a report as PDF, as its print style lays it out: a scan's is one page. Equal pages give equal bytes.

    Nothing is loaded from elsewhere: what is not within the page is left out.

    Parameters
    ----------
    html : Path
        A page that `write_scan_report` or `write_group_report` wrote.
    pdf : Path
        The file to write.

    Raises
    ------
    InputError
        If WeasyPrint or its libraries are missing, or a file cannot be read or written.
    """
    weasyprint = weasyprint_or_why()
    try:
        text = Path(html).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise InputError(f"the report {html} cannot be read: {error}.") from error
    page = weasyprint.HTML(string=text, url_fetcher=_fetcher(weasyprint))
    content = page.write_pdf(pdf_identifier=b"PyPeT", pdf_tags=True)
    write_whole(Path(pdf), bytes(content))


def weasyprint_or_why() -> Any:
    """The module WeasyPrint.

    Raises
    ------
    InputError
        If it or its libraries are missing; the message says how to install them.
    """
    try:
        import weasyprint  # noqa: PLC0415 - optional, and slow to import
    except ImportError as error:
        raise InputError(_MISSING.format(what="WeasyPrint is not installed")) from error
    except OSError as error:
        raise InputError(_MISSING.format(what=f"a library is missing ({error})")) from error
    return weasyprint


def _fetcher(weasyprint: Any) -> Any:
    """What gives WeasyPrint the pictures within a page, and refuses everything else."""
    if hasattr(weasyprint.urls, "URLFetcher"):
        return weasyprint.urls.URLFetcher(allowed_protocols=("data",))

    def fetch(url: str, *rest: Any, **named: Any) -> Any:
        if not url.startswith("data:"):
            raise ValueError(f"{url} is not within the page")
        return weasyprint.default_url_fetcher(url, *rest, **named)

    return fetch
