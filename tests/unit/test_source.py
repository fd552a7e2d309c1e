"""YAML as packs use it: every scalar stays text and keeps its place; what the subset leaves out is refused with its place."""

from typing import Any

import pytest

from app.engine.pack.source import DEEPEST, LARGEST_FILE, MOST_NODES, Source, read

pytestmark = pytest.mark.unit


def data(text: str | bytes) -> Any:
    source, problems = read("a.yaml", text.encode() if isinstance(text, str) else text)
    assert not problems, problems
    assert source is not None
    return source.data


def source(text: str) -> Source:
    found, problems = read("a.yaml", text.encode())
    assert found is not None, problems
    return found


def said(text: str | bytes) -> list[str]:
    found, problems = read("a.yaml", text.encode() if isinstance(text, str) else text)
    assert (found is None) == bool(problems)
    return [str(problem) for problem in problems]


class TestScalars:
    @pytest.mark.parametrize(
        "word",
        [
            "yes",
            "no",
            "on",
            "off",
            "true",
            "null",
            "~",
            "1e3",
            "1_000",
            "21:00",
            "012",
            "0x1F",
            "2026-11-22",
            ".5",
            "+1",
            ".inf",
            "NaN",
            "=",
            "<<",
            "5900",
        ],
    )
    def test_stay_text(self, word: str) -> None:
        """Nothing is taken for a number, a date or a truth value here; the schema types what it knows."""
        assert data(f"a: {word}\nb: [{word}]\n") == {"a": word, "b": [word]}

    def test_empty(self) -> None:
        """An empty value is an empty text, which the schema then refuses where a value is needed."""
        assert data("a:\nb: ''\n") == {"a": "", "b": ""}

    def test_styles(self) -> None:
        """Quotes, folds and blocks are YAML's own."""
        assert data("a: 'it''s'\nb: \"x\\u4e2d\"\nc: >\n  one\n  two\nd: |\n  one\n  two\n") == {
            "a": "it's",
            "b": "x中",
            "c": "one two\n",
            "d": "one\ntwo\n",
        }

    def test_comments(self) -> None:
        """Comments are left out; a sign that is no comment stays."""
        assert data("# above\na: x # beside\nb: a#b\n") == {"a": "x", "b": "a#b"}


class TestQuotedStarts:
    @pytest.mark.parametrize(
        "written",
        [
            "'toll_pack' not in services.held",
            "'toll_pack' in services.held and plan.id == 'a'",
            '"toll_pack" in services.held',
            "'a' in x or 'b' in y",
            "'2026-11-22' <= contract.promo_end",
            "'09:00' <= clock.time < '21:00'",
            "'a' == plan.id",
            "'a' != plan.id",
            "'it''s' in services.held",
            "'a' in x and y == 'b # c'",
            "'a'  in  x",
        ],
    )
    def test_expressions(self, written: str) -> None:
        """A value that begins with a quoted word and goes on is meant as a whole, comment or not."""
        for text in (f"k: {written}\n", f"k: {written}   # why\n", f"- k: {written}\n  l: x\n", f"- {written}\n"):
            found = data(text)
            found = found[0] if isinstance(found, list) else found
            assert (found if isinstance(found, str) else found["k"]) == written

    def test_places(self) -> None:
        """It keeps the place of its first quote, and so does a text within quotes: that of its first character."""
        found = source("k: 'a' in x\nl: 'b'\n中文: \"c\"\n")
        assert str(found.place("k")) == "a.yaml:1:4"
        assert str(found.place("l")) == "a.yaml:2:5"
        assert str(found.place("中文")) == "a.yaml:3:6"

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("'quoted' # in a comment", "quoted"),
            ('"You are in\n  luck"', "You are in luck"),
            ("'a: in b'", "a: in b"),
            ("\"in 'x' in y\"", "in 'x' in y"),
            ("'x'", "x"),
        ],
    )
    def test_whole_quotes(self, written: str, value: str) -> None:
        """A value that is quoted as a whole is YAML's, over lines too."""
        assert data(f"k: {written}\n") == {"k": value}

    def test_mismatched(self) -> None:
        """With a quote too many nothing is cut off: the expression's own mistake is told."""
        assert data("k: 'a' in x 'oops\n") == {"k": "'a' in x 'oops"}

    @pytest.mark.parametrize("written", ["'a' b", "'a'b", '"a" "b"', "'a' , 'b'"])
    def test_others_are_mistakes(self, written: str) -> None:
        """What goes on after a quote and is no expression is not guessed at."""
        assert "error[yaml]" in said(f"k: {written}\n")[0]


class TestPlaces:
    def test_values_and_keys(self) -> None:
        """Every value has a place, every key too; what is not there has that of the nearest thing above."""
        found = source("a:\n  - b: x\n    c: [y, z]\n")
        assert [str(found.place(*path)) for path in ((), ("a",), ("a", 0, "b"), ("a", 0, "c", 1), ("a", 0, "none", 5))] == [
            "a.yaml:1:1",
            "a.yaml:2:3",
            "a.yaml:2:8",
            "a.yaml:3:12",
            "a.yaml:2:5",
        ]
        assert str(found.key_place("a", 0, "c")) == "a.yaml:3:5"
        assert str(found.key_place("a", 0)) == "a.yaml:2:5"


class TestEncodings:
    @pytest.mark.parametrize("content", [b"a: x\n", b"\xef\xbb\xbfa: x\n", b"a: x\r\n", b"a: x"])
    def test_accepted(self, content: bytes) -> None:
        """A byte-order mark, either kind of line end, a last line without one."""
        assert data(content) == {"a": "x"}

    def test_mark_is_no_character(self) -> None:
        """The byte-order mark takes no column and hides no key."""
        assert data(b"\xef\xbb\xbfk: 'a' in x\n") == {"k": "'a' in x"}
        assert said(b"\xef\xbb\xbf{k: 1, k: 2}\n")[0].startswith("a.yaml:1:8: ")

    def test_line_ends_keep_places(self) -> None:
        """Lines are counted alike with either kind of line end."""
        assert said("a: x\r\nb: y\r\na: z\r\n") == ["a.yaml:3:1: error[duplicate-key]: the key `a` stands twice; keep one of them"]
        assert data("k: 'a' in x\r\n") == {"k": "'a' in x"}

    @pytest.mark.parametrize(
        "content", ["a: é\n".encode("latin-1"), "a: 中\n".encode("gbk"), "a: x\n".encode("utf-16"), b"a: \xed\xa0\x80\n"]
    )
    def test_not_utf8(self, content: bytes) -> None:
        """Anything but UTF-8 is refused."""
        assert said(b"#\n" + content) == ["a.yaml:2:1: error[encoding]: the file is not UTF-8; save it with the encoding UTF-8"]

    @pytest.mark.parametrize("char", ["\0", "\a", "\x1b", "\x7f", "\ufffe"])
    def test_control_characters(self, char: str) -> None:
        """Characters that no text has are shown by number, with their place."""
        assert said(f"a: x\nb: 中{char}\n") == [f"a.yaml:2:5: error[encoding]: U+{ord(char):04X} is not a character of a text; take it out"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a: &x 1\n",
            "1:4: error[yaml-subset]: anchors and aliases are not used in a pack; write the value out, or name it as a parameter or a fact",
        ),
        (
            "a: &x [1]\nb: *x\n",
            "1:4: error[yaml-subset]: anchors and aliases are not used in a pack; write the value out, or name it as a parameter or a fact",
        ),
        (
            "a: *x\n",
            "1:4: error[yaml-subset]: anchors and aliases are not used in a pack; write the value out, or name it as a parameter or a fact",
        ),
        ("&k a: 1\n", "1:1: error[yaml-subset]: anchors and tags are not used in a pack; leave them out"),
        ("*k : 1\n", "1:1: error[yaml-subset]: a key is not a word; keys are plain words"),
        ("a: !!int 5\n", "1:4: error[yaml-subset]: tag `tag:yaml.org,2002:int` is not used in a pack; leave the tag out"),
        (
            "a: !!python/object/apply:os.system [x]\n",
            "1:4: error[yaml-subset]: tag `tag:yaml.org,2002:python/object/apply:os.system` is not used in a pack; leave the tag out",
        ),
        ("a: ! x\n", "1:4: error[yaml-subset]: tag `!` is not used in a pack; leave the tag out"),
        ("!!str a: x\n", "1:1: error[yaml-subset]: anchors and tags are not used in a pack; leave them out"),
        ("a: 1\na: 2\n", "2:1: error[duplicate-key]: the key `a` stands twice; keep one of them"),
        ("a: {b: 1, b: 2}\n", "1:11: error[duplicate-key]: the key `b` stands twice; keep one of them"),
        ("a: 1\n---\nb: 2\n", "2:1: error[yaml]: a file holds one document; make a file of each, without `---`"),
        ("---\n---\nb: 2\n", "2:1: error[yaml]: a file holds one document; make a file of each, without `---`"),
        ("", "1:1: error[empty-file]: the file is empty; delete it, or write its rules"),
        ("# nothing\n\n", "1:1: error[empty-file]: the file is empty; delete it, or write its rules"),
        ("? [a]\n: x\n", "1:3: error[yaml-subset]: a key is not a word; keys are plain words"),
        ("a: {facts.toll:money} in calls\n", None),
        (
            "a: {b c}\n",
            "1:5: error[yaml-subset]: `b c` is not a key: a comma inside `{…}` ends the value; "
            "an expression or text with a comma goes on a line of its own, or into quotes",
        ),
        (
            "a: {{x}: y}\n",
            "1:5: error[yaml-subset]: a key is not a word; text with `{…}` needs quotes around it; "
            "an expression is written on a line of its own",
        ),
        (
            "a: {is: mean(billing.total, 3)}\n",
            "1:29: error[yaml-subset]: `3)` is not a key: a comma inside `{…}` ends the value; "
            "an expression or text with a comma goes on a line of its own, or into quotes",
        ),
    ],
)
def test_refused(text: str, problem: str | None) -> None:
    """What the subset leaves out is refused, with its place and what to do."""
    (found,) = said(text)
    assert problem is None or found == f"a.yaml:{problem}"


LIKE = "indent it as they are, or close a quote above"
AFTER = "text goes on after its value has ended; double a quote inside quotes, and close each quote above"
COLON = "a second colon on the line; put quotes around a text that holds a colon"
QUOTE = "the quote that opens here is not closed; close it, and double a quote inside"
ESCAPE = "a backslash in double quotes begins an escape that does not exist; use single quotes around the text"
MERGE = (
    "is left from a merge that was not finished; keep one of the two versions, and take out the lines of `<<<<<<<`, `=======` and `>>>>>>>`"
)
NOT_YAML = [
    ("a: [1\n", "1:4", "the `[` that opens here is not closed, or a comma is missing; close it before line 2"),
    ("a: [\n", "2:1", "a value is missing here; write it, or close the bracket above"),
    ("a: {b: c\nd: e\n", "1:4", "the `{` that opens here is not closed, or a comma is missing; close it before line 2"),
    ("a: {b: 'c' d}\n", "1:12", "a comma is missing here, or what closes the `{`; a text with quotes or signs goes on a line of its own"),
    ("a: b: c\n", "1:5", COLON),
    ("a: x, y: z\n", "1:8", COLON),
    ("a: 1\n  b: 2\n", "2:4", "the line is indented further than the one above, which has a value already; indent both alike"),
    ("a\nb: c\n", "2:2", "the line above, `a`, lacks its colon; write `key: value`"),
    ("a:\n  - b\n\n    c: 1\n", "4:6", "the line above, `- b`, lacks its colon; write `key: value`"),
    ("a\n# why\n\nb: c\n", "4:1", "the line belongs to nothing above it; a line above lacks its colon, or is indented otherwise"),
    ("a:\n  - id: x\n    is\n    b: c\n", "3:5", "`is` has no colon; write `key: value`, or close the quote or bracket above"),
    ("a: 1\nb\nc: 2\n", "2:1", "`b` has no colon; write `key: value`, or close the quote or bracket above"),
    ("a: 'x\n", "1:4", QUOTE),
    ("a: {b: 'c', d: \"e\n", "1:16", QUOTE),
    ("- a\nb: c\n", "2:1", f"the line is not indented like its neighbours in what begins on line 1; {LIKE}"),
    ("a:\n  - id: x\n   is: 2\n", "3:4", f"the line is not indented like its neighbours in what begins on line 2; {LIKE}"),
    ("a: 'it's'\n", "1:8", AFTER),
    ('a: "x\nb: 2\nc: "y"\n', "3:5", AFTER),
    ("a: @x\n", "1:4", "a value cannot begin with `@`; put quotes around it"),
    ("a: `x`\n", "1:4", "a value cannot begin with ```; put quotes around it"),
    ("a: *\n", "1:4", "a value cannot begin with `*`; put quotes around it"),
    ("%x\n", "1:1", "a value cannot begin with `%`; put quotes around it"),
    ("a: ]\n", "1:4", "a value cannot begin with `]`; put quotes around it"),
    ('a: "x\\q"\n', "1:6", ESCAPE),
    ('a: "\\x1"\n', "1:7", ESCAPE),
    ("a: - b\n", "1:4", "a list begins on the line of its key; put each `- ` on a line of its own"),
    ("a: |x\n", "1:5", "text stands on the line of `|` or `>`; begin it on the next line, or put quotes around the value"),
    ("a:\n\tb: c\n", "2:1", "a tab stands where spaces should; indent with spaces, not with tabs"),
    ("a: b\n\tc: d\n", "2:1", "a tab stands where spaces should; indent with spaces, not with tabs"),
    ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> x\n", "2:1", f"`<<<<<<< HEAD` {MERGE}"),
    ("a: 1\n=======\nb: 3\n", "2:1", f"`=======` {MERGE}"),
    ("a: 1\r\n>>>>>>> x\r\n", "2:1", f"`>>>>>>> x` {MERGE}"),
    ("a: !<\n", "1:6", "did not find expected tag uri; check indentation, colons and quotes around here"),
]


@pytest.mark.parametrize(("text", "place", "message"), NOT_YAML)
def test_not_yaml(text: str, place: str, message: str) -> None:
    """What YAML's own grammar refuses is told in words of those who write rules, at the place to look at."""
    assert said(text) == [f"a.yaml:{place}: error[yaml]: {message}"]


class TestBounds:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("a: [" + "[" * 100_000, "file-too-deep"),
            ("a: " + "{a: " * 100_000, "file-too-deep"),
            ("- " * 100_000, "file-too-deep"),
            ("".join(f"{'  ' * depth}a:\n" for depth in range(400)), "file-too-deep"),
            ("#" * (LARGEST_FILE + 1), "file-too-large"),
            ("a: x\n" + "#\n" * 3_000_000, "file-too-large"),
            ("a: [" + "x," * (MOST_NODES + 1) + "]", "file-too-large"),
            ("a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n", "yaml-subset"),
            ("&a [" + "*a," * 50_000 + "]", "yaml-subset"),
        ],
    )
    def test_bombs(self, text: str, code: str) -> None:
        """Files that are too large, too deep or blow up are refused before they are built."""
        (found,) = said(text)
        assert f"error[{code}]: " in found

    def test_enough(self) -> None:
        """What packs hold fits."""
        nested: Any = data("a: " + "[" * (DEEPEST - 1) + "x" + "]" * (DEEPEST - 1))
        assert nested != {}
        assert len(data("a: [" + "x," * (MOST_NODES - 10) + "]")["a"]) == MOST_NODES - 10
