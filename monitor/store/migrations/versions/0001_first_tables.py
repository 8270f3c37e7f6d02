"""The first tables."""

import sqlalchemy as sa
from alembic import op

from monitor.store.tables import Data, Key, Utc

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("group_value", sa.Text(), nullable=False),
        sa.Column("window_start", Utc(), nullable=False),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("mention_ids", Data(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Double(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sqlite_autoincrement=False,
    )
    op.create_index(op.f("ix_alerts_opened_at"), "alerts", ["opened_at"], unique=False)
    op.create_index(
        op.f("ix_alerts_rule_id_group_value_opened_at"), "alerts", ["rule_id", "group_value", "opened_at"], unique=False
    )
    op.create_table(
        "authors",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("native_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_authors")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "cases",
        sa.Column("id", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=True),
        sa.Column("author_key", sa.Text(), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("thread_key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("reasons", Data(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("snoozed_until", Utc(), nullable=True),
        sa.Column("escalated_to", sa.Text(), nullable=True),
        sa.Column("labels", Data(), nullable=False),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("last_customer_at", Utc(), nullable=False),
        sa.Column("first_reply_at", Utc(), nullable=True),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("intents", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_cases_assignee_due",
        "cases",
        ["assignee", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('new', 'open', 'pending')"),
        postgresql_where=sa.text("status IN ('new', 'open', 'pending')"),
    )
    op.create_index(op.f("ix_cases_author_key"), "cases", ["author_key"], unique=False)
    op.create_index(
        "ix_cases_due",
        "cases",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('new', 'open', 'pending')"),
        postgresql_where=sa.text("status IN ('new', 'open', 'pending')"),
    )
    op.create_index(
        "ix_cases_queue_due",
        "cases",
        ["queue", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('new', 'open', 'pending')"),
        postgresql_where=sa.text("status IN ('new', 'open', 'pending')"),
    )
    op.create_index(op.f("ix_cases_status_due_at_id"), "cases", ["status", "due_at", "id"], unique=False)
    op.create_index(op.f("ix_cases_thread_key"), "cases", ["thread_key"], unique=False)
    op.create_index(
        "uq_cases_active_matter",
        "cases",
        ["matter"],
        unique=True,
        sqlite_where=sa.text("status IN ('new', 'open', 'pending')"),
        postgresql_where=sa.text("status IN ('new', 'open', 'pending')"),
    )
    op.create_table(
        "cursors",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("value", Data(), nullable=False),
        sa.Column("moved_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_cursors")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", Key(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("raw_hash", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", Utc(), nullable=False),
        sa.Column("last_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint("source_id", "raw_hash", name=op.f("uq_dead_letters_source_id_raw_hash")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "source_health",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Double(), nullable=False),
        sa.Column("last_attempt_at", Utc(), nullable=True),
        sa.Column("last_success_at", Utc(), nullable=True),
        sa.Column("last_new_at", Utc(), nullable=True),
        sa.Column("next_attempt_at", Utc(), nullable=True),
        sa.Column("token_expires_at", Utc(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_source_health")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "tombstones",
        sa.Column("mention_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_tombstones")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "case_events",
        sa.Column("case_id", Key(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", Data(), nullable=False),
        sa.Column("after", Data(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("opens", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id")),
        sa.PrimaryKeyConstraint("case_id", "version", name=op.f("pk_case_events")),
        sqlite_autoincrement=False,
    )
    op.create_index(
        op.f("ix_case_events_at_case_id_version"), "case_events", ["at", "case_id", "version"], unique=False
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Key(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Utc(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_deliveries_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("alert_id", "channel", "severity", name=op.f("uq_deliveries_alert_id_channel_severity")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_deliveries_unsent",
        "deliveries",
        ["next_at", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_table(
        "mentions",
        sa.Column("no", Key(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("native_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_key", sa.Text(), nullable=True),
        sa.Column("followers", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("published_at", Utc(), nullable=True),
        sa.Column("fetched_at", Utc(), nullable=False),
        sa.Column("when_at", Utc(), nullable=False),
        sa.Column("edited_at", Utc(), nullable=True),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("thread_id", sa.Text(), nullable=True),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("rating_max", sa.Double(), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("replies", sa.BigInteger(), nullable=True),
        sa.Column("shares", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("is_own", sa.Boolean(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("removed_at", Utc(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("content_at", Utc(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_revision", sa.BigInteger(), nullable=False),
        sa.Column("content_revision", sa.BigInteger(), nullable=False),
        sa.Column("indexed_revision", sa.BigInteger(), nullable=False),
        sa.Column("tagged_revision", sa.BigInteger(), nullable=False),
        sa.Column("triaged_revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["author_key"], ["authors.key"], name=op.f("fk_mentions_author_key")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_mentions")),
        sa.UniqueConstraint("id", name=op.f("uq_mentions_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_mentions_author_key_when_at_no"), "mentions", ["author_key", "when_at", "no"], unique=False
    )
    op.create_index(
        "ix_mentions_to_index",
        "mentions",
        ["revision"],
        unique=False,
        sqlite_where=sa.text("revision > indexed_revision"),
        postgresql_where=sa.text("revision > indexed_revision"),
    )
    op.create_index(
        "ix_mentions_to_tag",
        "mentions",
        ["no"],
        unique=False,
        sqlite_where=sa.text("content_revision > tagged_revision"),
        postgresql_where=sa.text("content_revision > tagged_revision"),
    )
    op.create_index(
        "ix_mentions_to_triage",
        "mentions",
        ["when_at", "no"],
        unique=False,
        sqlite_where=sa.text("tagged_revision >= content_revision AND triaged_revision < content_revision"),
        postgresql_where=sa.text("tagged_revision >= content_revision AND triaged_revision < content_revision"),
    )
    op.create_index(op.f("ix_mentions_when_at_no"), "mentions", ["when_at", "no"], unique=False)
    op.create_table(
        "case_mentions",
        sa.Column("case_id", Key(), autoincrement=False, nullable=False),
        sa.Column("mention_no", Key(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_mentions_case_id")),
        sa.ForeignKeyConstraint(["mention_no"], ["mentions.no"], name=op.f("fk_case_mentions_mention_no")),
        sa.PrimaryKeyConstraint("case_id", "mention_no", name=op.f("pk_case_mentions")),
        sqlite_autoincrement=False,
    )
    op.create_index(op.f("ix_case_mentions_mention_no"), "case_mentions", ["mention_no"], unique=False)
    op.create_table(
        "enrichments",
        sa.Column("id", Key(), nullable=False),
        sa.Column("mention_no", Key(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("data", Data(), nullable=False),
        sa.ForeignKeyConstraint(["mention_no"], ["mentions.no"], name=op.f("fk_enrichments_mention_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrichments")),
        sa.UniqueConstraint(
            "mention_no", "content_hash", "model", name=op.f("uq_enrichments_mention_no_content_hash_model")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "mention_versions",
        sa.Column("mention_no", Key(), autoincrement=False, nullable=False),
        sa.Column("content_revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rating", sa.Double(), nullable=True),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["mention_no"], ["mentions.no"], name=op.f("fk_mention_versions_mention_no")),
        sa.PrimaryKeyConstraint("mention_no", "content_revision", name=op.f("pk_mention_versions")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "raw_answers",
        sa.Column("mention_no", Key(), autoincrement=False, nullable=False),
        sa.Column("compressed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["mention_no"], ["mentions.no"], name=op.f("fk_raw_answers_mention_no")),
        sa.PrimaryKeyConstraint("mention_no", name=op.f("pk_raw_answers")),
        sqlite_autoincrement=False,
    )
