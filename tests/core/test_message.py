from __future__ import annotations

import base64
import string
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callsheet.core.message import decode, to_send, to_text

REMINDER = (
    "This is a reminder that your payment is due soon. Please complete the payment on time to avoid any "
    "service interruption. Visit your account to pay now."
)
PUBLISHED_REQUEST = (
    "VGhpcyBpcyBhIHJlbWluZGVyIHRoYXQgeW91ciBwYXltZW50IGlzIGR1ZSBzb29uLiBQbGVhc2UgY29tcGxldGUgdGhlIHBheW1lbnQgb24g"
    "dGltZSB0byBhdm9pZCBhbnkgc2VydmljZSBpbnRlcnJ1cHRpb24uIFZpc2l0IHlvdXIgYWNjb3VudCB0byBwYXkgbm93Lg%3D%3D"
)
PUBLISHED_RESPONSE = (
    "PHA%2BVGhpcyBpcyBhIDxzdHJvbmc%2BcmVtaW5kZXI8L3N0cm9uZz4gdGhhdCB5b3VyIHBheW1lbnQgaXMgZHVlIHNvb24uIFBsZWFzZSBj"
    "b21wbGV0ZSB0aGUgcGF5bWVudCBvbiB0aW1lIHRvIGF2b2lkIGFueSBzZXJ2aWNlIGludGVycnVwdGlvbi4gVmlzaXQgeW91ciBhY2NvdW50"
    "IHRvIHBheSBub3cuPC9wPg%3D%3D"
)
PUBLISHED_MASKED = "TWVzc2FnZSBmb3IgeW91ciB0YXJnZXRlZCBjdXN0b21lcg%xxxxx"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_the_published_requests_are_read_as_their_authors_meant_them() -> None:
    assert decode(PUBLISHED_REQUEST) == REMINDER
    assert to_send(PUBLISHED_RESPONSE) == REMINDER


def test_the_published_sample_with_masked_padding_does_not_reach_people_as_base64() -> None:
    assert decode(PUBLISHED_MASKED) == "Message for your targeted customer"


@pytest.mark.parametrize("tail", ["%3D%3D", "==", "", "%", "%3", "%3D%", "%xxxxx", "%XX"])
def test_padding_that_was_cut_or_masked_is_no_reason_to_send_base64(tail: str) -> None:
    assert decode("TWVzc2FnZSBmb3IgeW91ciB0YXJnZXRlZCBjdXN0b21lcg" + tail) == "Message for your targeted customer"


@pytest.mark.parametrize(
    "plain",
    [
        "Test",
        "Sale",
        "Hello",
        "abcd",
        "OTP=",
        "CODE",
        "50%",
        "100%25 off",
        "Hello%20World",
        "Get 20%",
        "1234567890123456",
        "https://example.com/pay",
        "Hi <First Name>, your code is %3D",
        "",
        " ",
        "see-you-tomorrow",
        "नमस्ते",
    ],
)
def test_a_plain_text_that_looks_encoded_stays_plain(plain: str) -> None:
    assert decode(plain) == plain


def test_short_text_is_decoded_when_padding_or_an_escape_proves_it() -> None:
    assert decode("VGVzdA==") == "Test"
    assert decode("VGVzdA%3D%3D") == "Test"
    assert decode("PHA%2BSGk8L3A%2B") == "<p>Hi</p>"


def test_base64_wrapped_at_76_columns_is_decoded() -> None:
    assert decode(base64.encodebytes(REMINDER.encode()).decode()) == REMINDER
    assert decode(base64.encodebytes(REMINDER.encode()).decode().replace("\n", "\r\n")) == REMINDER


def test_bytes_that_are_no_text_stay_as_they_came() -> None:
    for octets in (
        b"\x00\x01\x02 some binary \xff",
        b"bell \x07 inside a text",
        "c1 control \x85 here".encode(),
    ):
        received = base64.b64encode(octets).decode()
        assert decode(received) == received


sendable = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\r\t"), min_size=1)


@given(sendable)
@example("~~~>>>???")
def test_every_text_survives_each_documented_encoding(text: str) -> None:
    padded = encoded(text)
    if padded.endswith("=") or len(padded) >= 16:
        assert decode(padded) == text
    percent = quote(padded, safe="")
    if percent != padded or len(padded) >= 16:
        assert decode(percent) == text
    if len(padded.rstrip("=")) >= 16:
        assert decode(padded.rstrip("=")) == text


@given(st.text())
def test_decoding_never_fails_and_invents_no_control_characters(received: str) -> None:
    text = decode(received)
    if text != received:
        assert all(unicodedata.category(char) != "Cc" or char in "\t\n\r" for char in text)


@given(st.text(string.ascii_letters + string.digits, max_size=15))
def test_a_short_word_is_never_taken_for_base64(word: str) -> None:
    assert decode(word) == word


@given(st.text(st.characters(exclude_characters="<")))
def test_a_text_without_a_tag_is_not_touched(text: str) -> None:
    assert to_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Hi <First Name>, welcome",
        "a < b > c",
        "if a<b then c>d",
        "write to <someone@example.com>",
        "see <https://example.com>",
        "<Strong Customer> and <P O Box> and <Break>",
        "a <- b -> c </nothing>",
        "Tom &amp; Jerry, https://example.com/?a=1&copy=2",
        "1 <3 you",
        "<Table> for <Code>",
    ],
)
def test_what_only_looks_like_html_is_sent_as_it_is(text: str) -> None:
    assert to_text(text) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>This is a <strong>reminder</strong>.</p>", "This is a reminder."),
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("<p>One</p><p><br></p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two<br/>Three<BR />", "One\nTwo\nThree"),
        ("<div>\n  <p>One\n  line</p>\n</div>\n", "One line"),
        ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
        (
            "<p>Tom &amp; Jerry&nbsp;&#8364;5 &lt;3 caf&eacute; &unknown;</p>",
            "Tom & Jerry €5 <3 café &unknown;",
        ),
        ("<p>Hi <First Name>,</p>", "Hi <First Name>,"),
        ("<p>Hi &lt;First Name&gt;,</p>", "Hi <First Name>,"),
        ("<p>Hi {{first_name | default: &quot;there&quot;}}</p>", 'Hi {{first_name | default: "there"}}'),
        ('<a href="https://a.example/?x=1&copy=2&amp;y=3">Pay</a>', "Pay https://a.example/?x=1&copy=2&y=3"),
        ("<a href='https://a.example/'>a.example</a> now", "a.example now"),
        ('<a href="https://a.example"></a>', "https://a.example"),
        ('<span style="color: red" class=x>Red</span>', "Red"),
        ("first line\nsecond <b>bold</b> line", "first line\nsecond bold line"),
        ("<p>a<!-- hidden <p> -->b</p><style>p {}</style><script>x()</script>", "ab"),
        ("<p>open <!-- never closed", "open <!-- never closed"),
        ("<p></p>", ""),
    ],
)
def test_simple_html_reads_like_a_person_wrote_it(body: str, text: str) -> None:
    assert to_text(body) == text


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<br>",
                "<b>",
                "</b>",
                "<li>",
                "<a href=x>",
                "</a>",
                "<!--",
                "-->",
                "<",
                ">",
                "&lt;",
                "&amp;",
                " ",
                "\n",
                "word",
                "<First Name>",
            ]
        )
    )
)
def test_no_pile_of_tags_breaks_the_reader_or_leaves_one_behind(pieces: list[str]) -> None:
    text = to_text("".join(pieces))
    if "&" not in "".join(pieces) and "<!--" not in pieces and "<" not in pieces:
        assert not any(tag in text for tag in ("<p>", "</p>", "<br>", "<b>", "</b>"))
    assert text.count("<First Name>") <= pieces.count("<First Name>") + pieces.count("&lt;") + pieces.count("<")


def test_a_long_hostile_body_takes_no_quadratic_time() -> None:
    # Quadratic work on these sizes would outlast the time limit of the suite by far.
    for unit in ("<!--", "<script", '<p a="', "<p a='", "<p ", "&#1", "<a href=x>", "<p", "< "):
        to_text("<p>" + unit * 100_000)
