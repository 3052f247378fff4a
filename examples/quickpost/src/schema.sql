-- The tables, and the sample data of every start.
PRAGMA foreign_keys = ON;

CREATE TABLE users (
    id         INTEGER PRIMARY KEY,
    full_name  TEXT NOT NULL,
    email      TEXT NOT NULL UNIQUE,
    avatar_url TEXT NOT NULL,
    bio        TEXT NOT NULL
);

CREATE TABLE posts (
    id        INTEGER PRIMARY KEY,
    slug      TEXT NOT NULL UNIQUE,
    title     TEXT NOT NULL,
    body      TEXT NOT NULL,
    topic     TEXT NOT NULL,
    author_id INTEGER NOT NULL REFERENCES users (id)
);

CREATE TABLE comments (
    id        INTEGER PRIMARY KEY,
    post_id   INTEGER NOT NULL REFERENCES posts (id),
    author_id INTEGER NOT NULL REFERENCES users (id),
    text      TEXT NOT NULL
);

CREATE TABLE likes (
    post_id INTEGER NOT NULL REFERENCES posts (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    dislike INTEGER NOT NULL,
    PRIMARY KEY (post_id, user_id)
);

-- A post as the API returns it: with its author's name and its counts.
CREATE VIEW post_view AS
SELECT p.id, p.slug, p.title, p.body, p.topic, p.author_id, u.full_name AS author,
       (SELECT COUNT(*) FROM comments c WHERE c.post_id = p.id) AS comments,
       (SELECT COUNT(*) FROM likes l WHERE l.post_id = p.id AND NOT l.dislike) AS likes,
       (SELECT COUNT(*) FROM likes l WHERE l.post_id = p.id AND l.dislike) AS dislikes
FROM posts p JOIN users u ON u.id = p.author_id;

INSERT INTO users VALUES
    (1, 'Ada Byron', 'ada@quickpost.example', '/avatars/1.png', 'Writes about engines.'),
    (2, 'Grace Hopper', 'grace@quickpost.example', '/avatars/2.png', 'Finds moths.'),
    (3, 'Linus Pauling', 'linus@quickpost.example', '/avatars/3.png', 'Here for the chemistry.');

INSERT INTO posts VALUES
    (1, 'my-post', 'My first post', 'It had to begin somewhere.', 'life', 1),
    (2, 'my-post-2', 'My second post', 'Close to the first one in name only.', 'life', 1),
    (3, 'hello-rust', 'Hello, Rust', 'The borrow checker and I are friends now.', 'rust', 1),
    (4, 'debugging', 'A moth in the relay', 'First actual case of a bug being found.', 'history', 2),
    (5, 'fast-queries', 'Fast queries', 'The fastest query is the one not made.', 'rust', 2);

INSERT INTO comments (post_id, author_id, text) VALUES
    (1, 2, 'Welcome!'),
    (1, 3, 'Looking forward to more.'),
    (3, 2, 'It took me a week.'),
    (4, 1, 'Glued into the log book, I hope?');

INSERT INTO likes VALUES (1, 2, 0), (1, 3, 1), (3, 2, 0), (3, 3, 0), (4, 1, 0);
