"""What staff read about any file that was brought. Words only."""

from typing import Final, NamedTuple

from payouts.models import FileState


class OutcomeWords(NamedTuple):
    """An outcome's name, and what follows from it."""

    title: str
    means: str


STATE_WORDS: Final = {
    FileState.READING.value: "Being read",
    FileState.MATCHING.value: "Being matched",
    FileState.COMPARING.value: "Being matched",
    FileState.WAITING.value: "Waits for a second person",
    FileState.ACTING.value: "Being carried out",
    FileState.DONE.value: "Done",
    FileState.REFUSED.value: "Refused",
}
