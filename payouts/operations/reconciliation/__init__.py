"""Files of networks and banks taken in, judged line by line, and acted on; days proven."""
