"""The API as a page on which every call can be tried: one document, one script, one style sheet, all of them ours and served from here."""
