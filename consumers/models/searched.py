"""How indexes and searches see a text: without accents, in lower case, as words."""

from django.contrib.postgres.search import SearchVector
from django.db.models import Expression, F, Func, TextField


def without_accents(text: Expression | F) -> Func:
    """The text as it is searched for; see `consumers.plain_words`."""
    return Func(text, function="consumers_plain_words", output_field=TextField())


def words_without_accents(text: Expression | F) -> SearchVector:
    """Its words as they are searched for."""
    return SearchVector(without_accents(text), config="simple")
