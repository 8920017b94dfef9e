"""The shell of the pages: layout, navigation, static files, security headers, translations."""
