"""`make demo`: the whole product on one machine, with people and cards to try it with."""
