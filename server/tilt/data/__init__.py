"""Files of prices and figures in, checked and recorded; panels out."""
