"""From an uploaded file to pushes: read, checked, ordered, issued; after a crash it goes on."""
