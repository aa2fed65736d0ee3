"""Reports as web pages that hold everything they show, and as PDF.

============  ========================================================================
`scan`        the report of one scan: `write_scan_report`
`facts`       what a summary says, as the sections of that report
`flags`       quality flags: order, words, and how many lines paper has for them
`group`       the report of many scans: `write_group_report`
`rows`        the table of all scans
`charts`      box plots and Bland-Altman plots as drawings within the page
`pictures`    PNG files as text within the page
`numbers`     values as people read them
`pages`       templates, style and script to one file; what a browser may load: nothing
`pdf`         a page as PDF: `write_pdf`
============  ========================================================================
"""

from PyPeTLib.report.html.group import write_group_report
from PyPeTLib.report.html.pdf import write_pdf
from PyPeTLib.report.html.rows import ScanRow
from PyPeTLib.report.html.scan import write_scan_report

__all__ = ["ScanRow", "write_group_report", "write_pdf", "write_scan_report"]
