"""Matching: which topics an item is about, how surely, and where it says so.

`Matcher` holds the compiled topics, `parse` reads the query language, `review` says what is doubtful about
a query, `OPERATORS` is the table of the language, and `packs` gives the topics that ship with the product.
"""

from monitor.matching.explain import NEAR, Explanation
from monitor.matching.matcher import Matcher
from monitor.matching.operators import OPERATORS
from monitor.matching.packs import packs
from monitor.matching.query import parse
from monitor.matching.review import review

__all__ = ["NEAR", "OPERATORS", "Explanation", "Matcher", "packs", "parse", "review"]
