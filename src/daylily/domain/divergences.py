"""What differs between the store, the directories and the engine, and who is right."""

from enum import StrEnum

from attrs import frozen


class DivergenceKind(StrEnum):
    """How two of the three say different things of one workset."""

    NOT_IN_STORE = "not_in_store"
    """A directory shows a workset that the store does not have."""
    NO_DIRECTORY = "no_directory"
    """The store has a workset that has no directory."""
    SENTINELS = "sentinels"
    """The sentinels show another state than the store has."""
    STORE_BEHIND = "store_behind"
    """Sentinels that we wrote show a later step than the store knows of."""
    DEBTS_OVERDUE = "debts_overdue"
    """What a step owes the world has not been paid in time."""
    ENGINE_ENDED = "engine_ended"
    """The engine says that an attempt has ended, and the store does not know."""
    ENGINE_RUNNING = "engine_running"
    """The engine has an attempt that the store does not know to have been launched."""
    ENGINE_UNKNOWN = "engine_unknown"
    """The engine has no record of an attempt that the store has running."""
    ENGINE_SILENT = "engine_silent"
    """The engine does not answer, so that nothing can be said."""
    DAMAGED_DIRECTORY = "damaged_directory"
    """Files that an engine needs are missing or unsound."""
    UNREADABLE_ROW = "unreadable_row"
    """What stands in the store cannot be read."""


class Side(StrEnum):
    """Who is right where two differ."""

    STORE = "store"
    SENTINELS = "sentinels"
    ENGINE = "engine"
    NOBODY = "nobody"
    """No rule says: a person decides."""


class Remedy(StrEnum):
    """What mends a divergence."""

    PAY = "pay"
    """Pay what is owed."""
    SHOW = "show"
    """Have the directory show what the store says; nothing of others is touched."""
    TAKE_OVER = "take_over"
    """Take over into the store what people and other systems have done to the directory."""
    LET_GO = "let_go"
    """Record the launch behind a lock that ran out; without one, make the workset ready again."""
    RECORD = "record"
    """Record what the engine says."""
    REGISTER = "register"
    """Register a directory that somebody dropped, as monitors do."""
    RESTORE = "restore"
    """Put back into the store what our own sentinels and files say."""
    PERSON = "person"
    """Nothing that could be done without a person's decision."""


@frozen(kw_only=True)
class Divergence:
    """One workset of which two say different things."""

    workset_id: str
    kind: DivergenceKind
    store: str
    """What the store says, in words."""
    sentinels: str
    """What the directory says."""
    engine: str = ""
    """What the engine says, where it was asked."""
    wins: Side
    why: str
    """Which rule says so."""
    remedy: Remedy
    advice: str = ""
    """What a person can do, where nothing else helps."""
