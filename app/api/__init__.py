"""The HTTP door: `app.api.application` makes the application, `app.api.serve` runs it, `app.api.export` writes its document."""
