"""Measures Sternpost beside the direct call and its peers: `python -m bench`, results in bench/results."""
