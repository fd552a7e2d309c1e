"""The report of a campaign: what became of everybody, as sections that a terminal, a page and a program show each in their way."""

from app.campaign.report.outline import Row, Section, Telling, sections
from app.campaign.report.page import as_html
from app.campaign.report.run import Limited, Report, Run, as_json, report_of, titles_for

__all__ = ["Limited", "Report", "Row", "Run", "Section", "Telling", "as_html", "as_json", "report_of", "sections", "titles_for"]
