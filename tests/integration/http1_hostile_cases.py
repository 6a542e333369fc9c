"""HTTP/1.1 as an attacker writes it: request smuggling, and what is malformed.

One row each: name, bytes, and the statuses of all answers that may come when FOLLOW is sent behind
the bytes. FOLLOW is a good request; a row whose statuses end with its 200 says that the connection
is still in step, any other row that the connection ended with the last status, FOLLOW unread. So a
row of one refusal proves that nothing behind it was taken for a request. SMUGGLED asks for a flag
of that name, which no answer may ever show.

Where RFC 9112 leaves the server a choice, ours is to refuse, but for spaces in the request line
(RFC 9112, 3: words may be told apart by white space) and an extension of a chunk, which nobody
reads.
"""


def post(key, body=b'{"context":{}}', fields=b""):
    return (b"POST /ofrep/v1/evaluate/flags/" + key + b" HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: " + str(len(body)).encode() +
            b"\r\n" + fields + b"\r\n" + body)


FOLLOW = post(b"follow")
SMUGGLED = post(b"smuggled")
ALL_FLAGS = post(b"").replace(b"flags/ ", b"flags ")
START = b"POST /ofrep/v1/evaluate/flags/answer HTTP/1.1\r\nHost: localhost\r\n" \
        b"Content-Type: application/json\r\n"
GET = b"GET /ofrep/v1/evaluate/flags/answer HTTP/1.1\r\n"
BODY = b'{"context":{}}'
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def with_fields(fields, body=b""):
    return START + fields + b"\r\n" + body


def chunked(chunks, fields=CHUNKED):
    return START + fields + b"\r\n" + chunks


def line(request_line):
    return request_line + b"\r\nHost: localhost\r\n\r\n"


def field(raw):
    """A request whose body is right, with one raw field line (line break included) before it."""
    return START + raw + b"Content-Length: 14\r\n\r\n" + BODY


GOOD = (200, 200)
# HTTP/2's goodbye, for what begins as its preface and does not end as it.
GOAWAY = 0
BAD = (400,)
WHOLE = b"e\r\n" + BODY + b"\r\n0\r\n\r\n"

CASES = [
    # The measure: what is right passes, and the connection goes on.
    ("good: content length", with_fields(b"Content-Length: 14\r\n", BODY), GOOD),
    ("good: chunked", chunked(WHOLE), GOOD),
    ("good: chunks of one", chunked(b"".join(b"1\r\n%c\r\n" % c for c in BODY) + b"0\r\n\r\n"), GOOD),
    ("good: empty line before the request", b"\r\n" + post(b"answer"), GOOD),
    ("good: chunk size in capitals and with zeros", chunked(b"00E\r\n" + BODY + b"\r\n000\r\n\r\n"),
     GOOD),
    ("good: pipelined", post(b"answer") * 3, (200,) * 4),

    # Content-Length against Transfer-Encoding.
    ("CL.TE", with_fields(b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n" + SMUGGLED), BAD),
    ("CL.TE, the length covering all",
     with_fields(b"Content-Length: %d\r\n" % (5 + len(SMUGGLED)) + CHUNKED,
                 b"0\r\n\r\n" + SMUGGLED), BAD),
    ("TE.CL", with_fields(CHUNKED + b"Content-Length: 4\r\n",
                          b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n"), BAD),
    ("CL.0 with chunked", with_fields(b"Content-Length: 0\r\n" + CHUNKED, WHOLE), BAD),
    ("TE and CL, both right", with_fields(b"Content-Length: 24\r\n" + CHUNKED, WHOLE), BAD),

    # Transfer-Encoding in disguise.
    ("TE: xchunked", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: xchunked\r\n"), BAD),
    ("TE: identity", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: identity\r\n"), BAD),
    ("TE: chunked, identity",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked, identity\r\n"), BAD),
    ("TE: identity, chunked",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: identity, chunked\r\n"), (501,)),
    ("TE: gzip, chunked",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: gzip, chunked\r\n"), (501,)),
    ("TE: chunked, chunked",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked, chunked\r\n"), BAD),
    ("TE twice", chunked(b"0\r\n\r\n" + SMUGGLED, CHUNKED + CHUNKED), BAD),
    ("TE twice, the second strange",
     chunked(b"0\r\n\r\n" + SMUGGLED, CHUNKED + b"Transfer-Encoding: x\r\n"), BAD),
    ("TE twice, the first strange",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: x\r\n" + CHUNKED), (501,)),
    ("TE empty", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: \r\n"), BAD),
    ("TE quoted", chunked(b"0\r\n\r\n" + SMUGGLED, b'Transfer-Encoding: "chunked"\r\n'), BAD),
    ("TE with a parameter",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked;q=1\r\n"), BAD),
    ("TE behind a comma", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: ,chunked\r\n"),
     (501,)),
    ("TE before a comma", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked,\r\n"), BAD),
    ("TE with a vertical tab",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: \x0bchunked\r\n"), BAD),
    ("TE with a NUL", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: chunked\x00\r\n"), BAD),
    ("TE with 8-bit", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding: \xffchunked\r\n"), BAD),
    ("TE with a space before the colon",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding : chunked\r\n"), BAD),
    ("TE with a tab before the colon",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding\t: chunked\r\n"), BAD),
    ("TE folded", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding:\r\n chunked\r\n"), BAD),
    ("TE behind a space", chunked(b"0\r\n\r\n" + SMUGGLED, b" Transfer-Encoding: chunked\r\n"), BAD),
    ("TE hidden behind a bare LF",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"X: y\nTransfer-Encoding: chunked\r\n"), BAD),
    ("TE hidden behind a bare CR",
     chunked(b"0\r\n\r\n" + SMUGGLED, b"X: y\rTransfer-Encoding: chunked\r\n"), BAD),
    ("TE in mixed case", chunked(WHOLE, b"tRANSFER-eNCODING: cHuNkEd\r\n"), GOOD),
    ("TE with tabs around", chunked(b"0\r\n\r\n" + SMUGGLED, b"Transfer-Encoding:\t chunked \t\r\n"),
     BAD),
    ("TE with an underscore is another field",
     with_fields(b"Transfer_Encoding: chunked\r\nContent-Length: 14\r\n", BODY), GOOD),
    ("TE in HTTP/1.0", b"POST /ofrep/v1/evaluate/flags/answer HTTP/1.0\r\nConnection: keep-alive\r\n"
     + CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED, BAD),
    ("TE of a GET, its chunks a request",
     GET + b"Host: localhost\r\n" + CHUNKED + b"\r\n" + b"%x\r\n" % len(SMUGGLED) + SMUGGLED +
     b"\r\n0\r\n\r\n", (405, 200)),

    # Content-Length.
    ("CL twice, different",
     with_fields(b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(SMUGGLED), SMUGGLED), BAD),
    ("CL twice, equal", with_fields(b"Content-Length: 14\r\nContent-Length: 14\r\n", BODY), BAD),
    ("CL as a list", with_fields(b"Content-Length: 14, 14\r\n", BODY), BAD),
    ("CL with a plus", with_fields(b"Content-Length: +14\r\n", BODY), BAD),
    ("CL negative", with_fields(b"Content-Length: -1\r\n", SMUGGLED), BAD),
    ("CL hexadecimal", with_fields(b"Content-Length: 0xe\r\n", BODY), BAD),
    ("CL with a letter behind", with_fields(b"Content-Length: 14a\r\n", BODY), BAD),
    ("CL with a space inside", with_fields(b"Content-Length: 1 4\r\n", BODY), BAD),
    ("CL empty", with_fields(b"Content-Length:\r\n", SMUGGLED), BAD),
    ("CL with a decimal point", with_fields(b"Content-Length: 14.0\r\n", BODY), BAD),
    ("CL exponent", with_fields(b"Content-Length: 1e1\r\n", BODY), BAD),
    ("CL over 64 bits", with_fields(b"Content-Length: 18446744073709551630\r\n", BODY), BAD),
    ("CL of 64 bits", with_fields(b"Content-Length: 18446744073709551615\r\n", BODY), (413,)),
    ("CL of 63 bits", with_fields(b"Content-Length: 9223372036854775807\r\n", BODY), (413,)),
    ("CL with zeros in front", with_fields(b"Content-Length: 0000000000014\r\n", BODY), GOOD),
    ("CL with a space before the colon", with_fields(b"Content-Length : 0\r\n", SMUGGLED), BAD),
    ("CL folded", with_fields(b"Content-Length:\r\n 14\r\n", BODY), BAD),
    ("CL of a GET covers a request",
     GET + b"Host: localhost\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED, (405, 200)),
    ("CL with a NUL", with_fields(b"Content-Length: 14\x00\r\n", BODY), BAD),
    ("CL in Arabic digits", with_fields("Content-Length: \u0661\u0664\r\n".encode(), BODY), BAD),

    # Chunks.
    ("chunk size negative", chunked(b"-1\r\n" + SMUGGLED), BAD),
    ("chunk size with a plus", chunked(b"+e\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk size 0x", chunked(b"0xe\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk size over 64 bits", chunked(b"1000000000000000e\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk size of 64 bits", chunked(b"ffffffffffffffff\r\n" + SMUGGLED), ()),
    ("chunk size empty", chunked(b"\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk size with a space in front", chunked(b" e\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk size with a space behind", chunked(b"e \r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk size with a NUL", chunked(b"e\x00\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk size with an underscore", chunked(b"0_e\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk longer than its size", chunked(b"d\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk without its line break", chunked(b"e\r\n" + BODY + b"0\r\n\r\n"), BAD),
    ("chunk ended by a bare LF", chunked(b"e\r\n" + BODY + b"\n0\r\n\r\n"), BAD),
    ("chunk ended by a bare CR", chunked(b"e\r\n" + BODY + b"\r0\r\n\r\n"), BAD),
    ("chunk size ended by a bare LF", chunked(b"e\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk size ended by a bare CR", chunked(b"e\r" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("last chunk ended by a bare LF", chunked(b"e\r\n" + BODY + b"\r\n0\n\n" + SMUGGLED), BAD),
    ("two bytes of anything behind a chunk",
     chunked(b"e\r\n" + BODY + b"XX0\r\n\r\n" + SMUGGLED), BAD),
    ("chunk extension", chunked(b'e;name=value;other="quoted"\r\n' + BODY + b"\r\n0;x\r\n\r\n"),
     GOOD),
    ("chunk extension with a bare LF", chunked(b"e;a\nb\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk extension with a bare CR", chunked(b"e;a\rb\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk extension hides the end",
     chunked(b"2;\nxx\r\n4c\r\n0\r\n\r\n" + SMUGGLED), BAD),
    ("chunk extension with a NUL", chunked(b"e;a\x00\r\n" + BODY + b"\r\n0\r\n\r\n"), BAD),
    ("chunk extension without a name", chunked(b"e;=x\r\n" + BODY + b"\r\n0\r\n\r\n"), GOOD),
    ("trailers that would decide", chunked(
        b"e\r\n" + BODY + b"\r\n0\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n"),
     BAD),
    ("trailer with a bare LF", chunked(b"e\r\n" + BODY + b"\r\n0\r\nA: b\nC: d\r\n\r\n"), BAD),
    ("trailer with a space before the colon",
     chunked(b"e\r\n" + BODY + b"\r\n0\r\nA : b\r\n\r\n"), BAD),

    # Lines and fields.
    ("bare LF for all line breaks", post(b"answer").replace(b"\r\n", b"\n"), BAD),
    ("bare LF behind the request line", START.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n") + b"\r\n", BAD),
    ("bare LF ends the header", START + b"Content-Length: 0\r\n\n" + SMUGGLED, BAD),
    ("bare CR for all line breaks", post(b"answer").replace(b"\r\n", b"\r"), BAD),
    ("bare CR inside a value", field(b"X: a\rb\r\n"), BAD),
    ("CR CR LF", field(b"X: a\r\r\n"), BAD),
    ("folded field", field(b"X: a\r\n b\r\n"), BAD),
    ("folded field with a tab", field(b"X: a\r\n\tb\r\n"), BAD),
    ("space before the first field", line(b"POST / HTTP/1.1").replace(b"\r\nHost", b"\r\n Host"),
     BAD),
    ("space before the colon", field(b"X : a\r\n"), BAD),
    ("field without a colon", field(b"nothing\r\n"), BAD),
    ("field without a name", field(b": a\r\n"), BAD),
    ("field name with a space", field(b"X Y: a\r\n"), BAD),
    ("field name with a control", field(b"X\x01: a\r\n"), BAD),
    ("field name with 8-bit", field(b"X\xe9: a\r\n"), BAD),
    ("field name with brackets", field(b"X(y): a\r\n"), BAD),
    ("NUL in a field name", field(b"X\x00: a\r\n"), BAD),
    ("NUL in a value", field(b"X: a\x00b\r\n"), BAD),
    ("control in a value", field(b"X: a\x08b\r\n"), BAD),
    ("DEL in a value", field(b"X: a\x7fb\r\n"), BAD),
    ("8-bit in a value", field(b"X: caf\xc3\xa9\r\n"), GOOD),
    ("empty value", field(b"X:\r\n"), GOOD),
    ("101 fields", START + b"X: y\r\n" * 101 + b"\r\n", (431,)),
    ("a header of 70 kB in one field", START + b"X: " + b"y" * 70000 + b"\r\n\r\n", (431,)),
    ("a field name of 70 kB", START + b"y" * 70000 + b": x\r\n\r\n", (431,)),
    ("200 kB of white space", START + b"X:" + b" " * 200000 + b"y\r\n\r\n", (431,)),
    ("a body over the limit", with_fields(b"Content-Length: 1000001\r\n", SMUGGLED), (413,)),
    ("chunks over the limit", chunked((b"10000\r\n" + b" " * 65536 + b"\r\n") * 17), (413,)),

    # The request line.
    ("HTTP/0.9", b"GET /\r\n", BAD),
    ("HTTP/0.9 with a version", line(b"GET / HTTP/0.9"), (505,)),
    ("HTTP/1.2", line(b"GET / HTTP/1.2"), (505,)),
    ("HTTP/2.0 in a request line", line(b"GET / HTTP/2.0"), (505,)),
    ("HTTP/9.9", line(b"GET / HTTP/9.9"), (505,)),
    ("HTTP/1.10", line(b"GET / HTTP/1.10"), BAD),
    ("HTTP/1", line(b"GET / HTTP/1"), BAD),
    ("http/1.1", line(b"GET / http/1.1"), BAD),
    ("HTTPS/1.1", line(b"GET / HTTPS/1.1"), BAD),
    ("RTSP/1.0", line(b"OPTIONS / RTSP/1.0"), BAD),
    ("ICE/1.0", line(b"SOURCE / ICE/1.0"), BAD),
    ("no version, but fields", line(b"GET /"), (505,)),
    ("two spaces before the target", line(b"GET  / HTTP/1.1"), (404, 200)),
    ("two spaces before the version", line(b"GET /  HTTP/1.1"), (404, 200)),
    ("tab instead of a space", line(b"GET\t/ HTTP/1.1"), BAD),
    ("space behind the version", line(b"GET / HTTP/1.1 "), BAD),
    ("space before the method", line(b" GET / HTTP/1.1"), BAD),
    ("method in lower case", line(b"get / HTTP/1.1"), BAD),
    ("a method nobody knows", line(b"HACK / HTTP/1.1"), BAD),
    ("a method of controls", line(b"\x01\x02 / HTTP/1.1"), BAD),
    ("a method of 100 kB", line(b"G" * 100000 + b" / HTTP/1.1"), BAD),
    ("CONNECT", line(b"CONNECT example.org:443 HTTP/1.1") + SMUGGLED, (501,)),
    ("TRACE", line(b"TRACE /ofrep/v1/evaluate/flags/answer HTTP/1.1"), (405, 200)),
    ("an answer instead of a request", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", BAD),
    ("NUL in the target", line(b"GET /\x00 HTTP/1.1"), BAD),
    ("bare CR in the target", line(b"GET /\rX HTTP/1.1"), BAD),
    ("8-bit in the target", line(b"GET /\xff HTTP/1.1"), BAD),
    ("fragment in the target", line(b"GET /a#b HTTP/1.1"), BAD),
    ("target without a slash", line(b"GET ofrep HTTP/1.1"), BAD),
    ("target * of a GET", line(b"GET * HTTP/1.1"), BAD),
    ("authority as the target", line(b"GET localhost:80 HTTP/1.1"), BAD),
    ("absolute target of another host", line(b"GET http://evil.example/ HTTP/1.1"), (421, 200)),
    ("absolute target of ours, Host of another",
     b"POST http://localhost/ofrep/v1/evaluate/flags/answer HTTP/1.1\r\nHost: evil.example\r\n"
     b"Content-Type: application/json\r\nContent-Length: 14\r\n\r\n" + BODY, GOOD),
    ("absolute target with a user", line(b"GET http://user@localhost/ HTTP/1.1"), BAD),
    ("ftp as the target", line(b"GET ftp://localhost/ HTTP/1.1"), BAD),
    ("a target of 20 kB", line(b"GET /" + b"a" * 20000 + b" HTTP/1.1"), (414,)),

    # Host.
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", BAD),
    ("two Hosts", b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", BAD),
    ("two equal Hosts", b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", BAD),
    ("Host with a space", b"GET / HTTP/1.1\r\nHost: local host\r\n\r\n", BAD),
    ("Host with a path", b"GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n", BAD),
    ("Host with a user", b"GET / HTTP/1.1\r\nHost: user@localhost\r\n\r\n", BAD),
    ("Host with a list", b"GET / HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n", BAD),
    ("Host of another", b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", (421, 200)),

    # What is offered on the way.
    ("Expect: 100-continue, the body behind it", field(b"Expect: 100-continue\r\n"),
     (100, 200, 200)),
    ("Expect twice", field(b"Expect: 100-continue\r\nExpect: 100-continue\r\n"),
     (100, 200, 200)),
    ("Expect of anything else", field(b"Expect: 200-ok\r\n"), (417,)),
    ("Expect with a body over the limit",
     with_fields(b"Expect: 100-continue\r\nContent-Length: 2000000\r\n"), (413,)),
    ("Upgrade: h2c", field(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                           b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"), GOOD),
    ("Upgrade: websocket", field(b"Connection: Upgrade\r\nUpgrade: websocket\r\n"), GOOD),
    ("Upgrade of a GET, a request behind",
     GET + b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", (405, 200)),
    ("Connection: close, a request behind", field(b"Connection: close\r\n") + SMUGGLED, (200,)),
    ("Connection: close among others",
     field(b"Connection: keep-alive, close\r\n") + SMUGGLED, (200,)),
    ("HTTP/1.0 without keep-alive, a request behind",
     b"POST /ofrep/v1/evaluate/flags/answer HTTP/1.0\r\nHost: localhost\r\n"
     b"Content-Type: application/json\r\n"
     b"Content-Length: 14\r\n\r\n" + BODY + SMUGGLED, (200,)),

    # HTTP/2's preface, out of place.
    ("preface behind a request", post(b"answer") + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED,
     (200, 400)),
    ("preface with another version", b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", (GOAWAY,)),
    ("preface that turns into a request", b"PRI / HTTP/1.1\r\nHost: localhost\r\n\r\n", (GOAWAY,)),
    ("the first half of the preface", b"PRI * HTTP/2.0\r\n", (GOAWAY,)),
    ("a TLS handshake", bytes.fromhex("16030100c8010000c4030300") + b"\x00" * 40, BAD),

    # A good request, then poison: the first is answered, nothing behind the poison is.
    ("poison behind a good one", post(b"answer") + b"\x00\r\n\r\n" + SMUGGLED, (200, 400)),
    ("poison behind a good one, chunked",
     post(b"answer") + chunked(b"xyz\r\n") + SMUGGLED, (200, 400)),
    ("too short a length leaves the rest as poison",
     with_fields(b"Content-Length: 2\r\n", b"{}" + b"rest\r\n\r\n" + SMUGGLED), (200, 400)),
    ("80 kB of empty lines before a request", b"\r\n" * 40000 + post(b"answer"), GOOD),
]
