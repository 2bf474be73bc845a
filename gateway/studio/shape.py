"""The shape of the studio's tables and how an older one becomes it, in SQLite and in PostgreSQL.

A step that was released is never changed, and a column is only added with a default, so that the
studio before this one can go on with what this one leaves.
"""

from sqlite_utils import Database, Migrations

steps = Migrations("studio")


@steps()
def begin(db: Database) -> None:
    """Make the tables."""
    db.execute(
        "CREATE TABLE record (box TEXT, epoch TEXT, seq INTEGER, kind TEXT, boot_id TEXT,"
        " t_s REAL, wall_utc TEXT, wall_synced INTEGER, body TEXT, stored_utc TEXT,"
        " PRIMARY KEY (box, epoch, seq)) WITHOUT ROWID"
    )
    db.table("watermark").create(
        {"box": str, "epoch": str, "upto": int, "at_utc": str}, pk=("box", "epoch")
    )
    db.table("ride").create(
        {
            "n": int,
            "box": str,
            "ride": str,
            "class": str,
            "started_utc": str,
            "epoch": str,
            "seq": int,
            "summary": str,
            "stored_utc": str,
        },
        pk="n",
    ).create_index(["box", "ride"], unique=True)
    db.table("dead").create(
        {"id": int, "stored_utc": str, "topic": str, "why": str, "payload": str}, pk="id"
    )


@steps()
def count(db: Database) -> None:
    """Count each box's records and rides as they come: counting millions of rows takes seconds."""
    for column, table in (("stored", "record"), ("rides", "ride")):
        db.execute(f"ALTER TABLE watermark ADD COLUMN {column} INTEGER DEFAULT 0")
        db.execute(
            f"UPDATE watermark SET {column} = (SELECT count(*) FROM {table} AS t"  # noqa: S608 - our names
            " WHERE t.box = watermark.box AND t.epoch = watermark.epoch)"
        )


@steps()
def told(db: Database) -> None:
    """Know a ride's records by their words too; those of before are known by their names alone."""
    db.execute("ALTER TABLE record ADD COLUMN told TEXT")
    db.execute("CREATE UNIQUE INDEX told_once ON record (box, told) WHERE told IS NOT NULL")


POSTGRES_STEPS = (
    """
    CREATE TABLE record (box TEXT, epoch TEXT, seq BIGINT, kind TEXT, boot_id TEXT,
        t_s DOUBLE PRECISION, wall_utc TEXT, wall_synced BOOLEAN, body TEXT, stored_utc TEXT,
        PRIMARY KEY (box, epoch, seq));
    CREATE TABLE watermark (box TEXT, epoch TEXT, upto BIGINT, at_utc TEXT,
        stored BIGINT DEFAULT 0, rides BIGINT DEFAULT 0, PRIMARY KEY (box, epoch));
    CREATE TABLE ride (n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, box TEXT, ride TEXT,
        class TEXT, started_utc TEXT, epoch TEXT, seq BIGINT, summary TEXT, stored_utc TEXT,
        UNIQUE (box, ride));
    CREATE TABLE dead (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stored_utc TEXT,
        topic TEXT, why TEXT, payload TEXT);
    """,
    """
    ALTER TABLE record ADD COLUMN told TEXT;
    CREATE UNIQUE INDEX told_once ON record (box, told) WHERE told IS NOT NULL;
    """,
)
"""Each is done once, in order; TEXT for the bodies, for JSONB cannot hold what TEXT can."""
