"""HTML to text, clean text, addresses, and what must not be shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.clean import clean, one_line
from monitor.text.html import to_text
from monitor.text.redact import redact, scrub, scrub_url
from monitor.text.urls import absolute, canonical, host

MARKUP = st.lists(
    st.one_of(
        st.text(),
        st.sampled_from(
            [
                "<",
                ">",
                "</",
                "<!",
                "<![",
                "<!--",
                "-->",
                "]]>",
                "<?",
                "&",
                "&#",
                ";",
                "<p",
                "<script>",
                "</script>",
                "<b",
                "a='",
                "<![if",
            ]
        ),
    )
).map("".join)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Een</p><p>Twee</p>", "Een\n\nTwee"),
        ("Een<br>Twee<br/>Drie", "Een\nTwee\nDrie"),
        ("<script>alert(1)</script>ja<style>p{}</style>", "ja"),
        ("caf&eacute; &amp; &#128545;", "café & 😡"),
        ("AT&T <3 jou", "AT&T <3 jou"),
        ("<b>a</b>\n <i>b</i>", "a b"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<iframe src='x'/>na", "na"),
        ("a<!-- weg -->b", "ab"),
        ("<![foo[x]]>na", "na"),
        ("<![CDATA[x]]>na", "na"),
        ("", ""),
        ("ik <haat dit", "ik <haat dit"),
        ("<a title='x > y' href=z>na</a>", "na"),
        ("<svg><title>x</title></svg>na", "na"),
        ("</3 jammer", "</3 jammer"),
        ("<!-- open <b>na</b>", "na"),
    ],
)
def test_a_fragment_as_text(markup, text):
    assert to_text(markup) == text


@given(MARKUP)
def test_no_markup_raises(markup):
    assert isinstance(to_text(markup), str)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["<b>", "<div>", "<", "<!--", "<a ", "&", "<![", "<script>", "</", "<!", "<a b='", "<?"]
)
def test_200_000_of_anything_ends_soon(piece):
    to_text(piece * 200_000)


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_can_be_stored_and_stays_clean(text):
    cleaned = clean(text)
    cleaned.encode()
    assert "\0" not in cleaned
    assert clean(cleaned) == cleaned == unicodedata.normalize("NFC", cleaned)
    assert len(one_line(text, 20)) <= 20
    assert "\n" not in one_line(text, 20)


def test_clean_keeps_what_a_person_typed():
    assert clean("a\tb\r\nc\u202e\u2067d\x00\x07\ud800") == "a\tb\nc\u202e\u2067d\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVa\nScript:alert(1)",
        "\x01javascript:x",
        "data:text/html,x",
        "vbscript:x",
        "//evil",
        "/\\evil",
        "\\\\evil",
        "http:\\\\evil",
        "http://",
        "http://[",
        "http://a:99999/",
        "mailto:a@b.nl",
        "ftp://a/",
        "x" * 9_000,
    ],
)
def test_what_is_no_web_address_is_none(url):
    assert absolute(url) is None


def test_addresses_are_joined_named_and_compared():
    assert absolute("/b?c=1", "https://a.nl/x") == "https://a.nl/b?c=1"
    assert absolute("//cdn.nl/x", "https://a.nl") == "https://cdn.nl/x"
    assert absolute("javascript:x", "https://a.nl") is None
    assert canonical("HTTPS://A.nl:443/P?utm_source=x&b=2&fbclid=1#top") == "https://a.nl/P?b=2"
    assert canonical("http://a.nl:8080") == "http://a.nl:8080/"
    assert host("https://www.Shop.nl/x") == "shop.nl"


@given(st.text(st.characters(exclude_categories=())))
def test_no_address_raises_and_its_name_is_stable(text):
    for url in (text, f"https://a.nl/?utm_source=x&b={text}"):
        found = absolute(url, "https://a.nl/")
        host(url)
        scrub_url(url)
        canonical(url)
        if found is not None:
            assert canonical(canonical(found)) == canonical(found)


def test_personal_data_gives_way_to_a_word():
    text = "Mail jan@bar.nl, bel 06-12345678, NL91ABNA0417164300, groet @jan_b"
    assert redact(text) == "Mail [e-mail], bel [phone], [iban], groet [handle]"
    assert "NL92ABNA0417164300" in redact("NL92ABNA0417164300")


def test_secrets_are_taken_out():
    assert scrub("a geheim123 b geheim", ["geheim", "geheim123", ""]) == "a [removed] b [removed]"


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "key",
        "apikey",
        "api-key",
        "X-Api-Key",
        "access_token",
        "oauth_token",
        "id_token",
        "secret",
        "client_secret",
        "password",
        "code",
        "sig",
        "X-Amz-Signature",
        "consumer_key",
        "%74oken",
        "auth",
    ],
)
def test_a_secret_parameter_is_not_shown(name):
    shown = scrub_url(f"https://u:kanarie@a.nl/p?page=2&{name}=kanarie#kanarie")
    assert "kanarie" not in shown
    assert shown.startswith("https://a.nl/p?page=2&")


@pytest.mark.parametrize("name", ["keyword", "q", "postcode", "page", "monkey", "author", "id"])
def test_a_plain_parameter_is_shown(name):
    assert scrub_url(f"https://a.nl/p?{name}=fiets") == f"https://a.nl/p?{name}=fiets"
