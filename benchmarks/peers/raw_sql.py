"""The operations as SQL, for the drivers: tuples and no model."""

from __future__ import annotations

from ..cases import FOUR_LENGTH, LIST_LENGTH, VALUES_LENGTH, Row

COLUMNS = ", ".join(f"a.{name}" for name in Row._fields)
ARTICLES = f"SELECT {COLUMNS} FROM newsdesk_article a"
NEWEST = f"WHERE a.is_published AND a.views >= $1 ORDER BY a.id DESC LIMIT {LIST_LENGTH}"

GET = f"{ARTICLES} WHERE a.id = $1"
NEWEST_ARTICLES = f"{ARTICLES} {NEWEST}"
JOINED = (
    f"SELECT {COLUMNS}, w.name FROM newsdesk_article a"
    f" JOIN newsdesk_author w ON w.id = a.author_id {NEWEST}"
)
LABELS = (
    "SELECT t.article_id, l.name FROM newsdesk_article_labels t"
    " JOIN newsdesk_label l ON l.id = t.label_id WHERE t.article_id = ANY($1)"
)
FOUR_CONDITIONS = (
    f"{ARTICLES} JOIN newsdesk_author w ON w.id = a.author_id"
    " WHERE w.name = $1 AND a.is_published AND a.views >= $2 AND a.title LIKE $3"
    f" ORDER BY a.created DESC LIMIT {FOUR_LENGTH}"
)
COUNT = "SELECT count(*) FROM newsdesk_article a WHERE a.author_id = $1 AND a.views >= $2"
EXISTS = "SELECT EXISTS (SELECT 1 FROM newsdesk_article a WHERE a.author_id = $1 AND a.views >= $2)"
VALUES = (
    "SELECT a.id, a.title, a.views FROM newsdesk_article a WHERE a.id >= $1"
    f" ORDER BY a.id LIMIT {VALUES_LENGTH}"
)
LISTING = f"{ARTICLES} ORDER BY a.id LIMIT $1"
CREATE = "INSERT INTO newsdesk_note (title, views) VALUES ($1, $2) RETURNING id"
UPDATE = "UPDATE newsdesk_world SET randomnumber = $1 WHERE id = $2"
DELETE = "DELETE FROM newsdesk_draft WHERE id = $1"
BULK = (
    "INSERT INTO newsdesk_note (title, views)"
    " SELECT * FROM unnest($1::text[], $2::int[]) RETURNING id"
)
GET_NOTE = "SELECT id, title, views FROM newsdesk_note WHERE title = $1"
CREATE_NOTE = (
    "INSERT INTO newsdesk_note (title, views) VALUES ($1, $2)"
    " ON CONFLICT (title) DO NOTHING RETURNING id, title, views"
)
WORLD = "SELECT id, randomnumber FROM newsdesk_world WHERE id = $1"
NAP = "SELECT id, slept FROM newsdesk_nap WHERE id = $1"
