"""Texts with expressions in them: where an `@` begins one, where it says itself, and what is said."""

import pytest

from callsheet.core.flow.amiss import Amiss, BadExpression
from callsheet.core.flow.expression.reading import read_text
from callsheet.core.flow.expression.scope import Scope
from core.flow.expressions import NAMES, NOW, SCOPE, said


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        ("Hi there", "Hi there"),
        ("Hi @contact.name", "Hi Marshawn Lynch"),
        ("Hi @contact", "Hi Marshawn Lynch"),
        ("Hi @contact.name.", "Hi Marshawn Lynch."),
        ("Hi @contact.name... @contact.age!", "Hi Marshawn Lynch... 30!"),
        ("Hi @CONTACT.Name, you", "Hi Marshawn Lynch, you"),
        ("@contact.first_name@contact.age", "Asha30"),
        ("@contact.गाव।", "वाई।"),
        ("您好@contact.first_name", "您好Asha"),
        ("नमस्ते@contact.first_name", "नमस्तेAsha"),
        ("Rs.@contact.balance", "Rs.1234.50"),
        ("Rs@(contact.balance * 2)", "Rs2469"),
        ("You can contact us at foo@bar.com", "You can contact us at foo@bar.com"),
        ("You can contact us at foo@contact.com", "You can contact us at foo@contact.com"),
        ("You can contact us at foo@@contact.tel", "You can contact us at foo@contact.tel"),
        ("@@", "@"),
        ("@@@contact.age", "@30"),
        ("@@@@", "@@"),
        ("@", "@"),
        ("a @ b", "a @ b"),
        ("@ contact.name", "@ contact.name"),
        ("follow @callsheet, @step.value and @12", "follow @callsheet, @step.value and @12"),
        ("see you @date, @date.today", "see you @date, 2026-11-22"),
        ("Next year you will be @(contact.age+1)", "Next year you will be 31"),
        ("Your first name is @(WORD(contact.name, 1))", "Your first name is Marshawn"),
        ("You are now @(YEAR(NOW()) - YEAR(contact.birthday))", "You are now 40"),
        ("10 plus 4 is @(SUM(10, 4))", "10 plus 4 is 14"),
        ("on @DATE(2012, 12, 25), @date(2012, 12, 26)", "on 2012-12-25, 2012-12-26"),
        ("10 plus 4 is @SUM(10, 4).", "10 plus 4 is 14."),
        ('Dear @IF(contact.gender = "M", "Sir", "Madam"),', "Dear Madam,"),
        ("As easy as @CHAR(65), @CHAR(66) , @CHAR(67)", "As easy as A, B , C"),
        ("@upper(contact.name)!", "MARSHAWN LYNCH!"),
        ('@("a ) in a text") (and so on)', "a ) in a text (and so on)"),
        ("@('it''s') it's", "it's it's"),
        ('@contact["First name"], @contact[name] and @contact.age[1]', "Asha, Marshawn Lynch[name] and "),
        ("[@contact.age]", "[30]"),
        ("@block.value.items[1].sku @block.value.items.0.price", "B2 12.5"),
        ("You said: @block.response", "You said: Yes please"),
        ("@contact.zip|@contact.nothing|@results.skipped|@parent.x", "|||"),
        ("@(1 = 1) @(NULL) @block.value.ok", "TRUE  TRUE"),
        ("@block.value.items", '{"sku": "A1", "price": "12.5"}, {"sku": "B2", "price": 7}'),
        ("@contact.city — @(contact.age > 18)", "पुणे — TRUE"),
    ],
)
def test_what_texts_say(text, wanted):
    assert said(text) == wanted


@pytest.mark.parametrize("text", ["", "Hi", "mail a@b.com or @twitter", "@@", "a @ b"])
def test_a_text_without_expressions_is_plain(text):
    assert read_text(text).is_plain


@pytest.mark.parametrize("text", ["@contact", "@(1)", "a @NOW() b"])
def test_a_text_with_one_is_not(text):
    assert not read_text(text).is_plain


@pytest.mark.parametrize(
    "written",
    ["@contact.tel", "@(1/0)", '" & contact.tel & "', "@@", "@UPPER(contact.tel)", ") = 1", "{{ contact.tel }}", "'"],
)
def test_what_a_contact_wrote_is_never_read(written):
    scope = Scope({**NAMES, "block": {"response": written}}, NOW)

    assert said("You said: @block.response", scope) == f"You said: {written}"
    assert said('@IF(block.response = "x", 1, block.response)', scope) == written
    assert said('@(contact["first_name"] & block.response)', scope) == f"Asha{written}"
    assert said("@contact[block.response]|", Scope({**NAMES, "block": {"response": written}}, NOW)).endswith("|")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Hi @(contact.name", 5),
        ('Hi @("open)', 5),
        ("Hi @(1 +)", 9),
        ("Hi @(1 2) there", 8),
        ("Hi @FOO(1)", 5),
        ("Hi @UPPER()", 5),
        ("Hi @UPPER(1, 2)", 5),
        ("Hi @()", 6),
        ("Hi @(nobody.name)", 6),
        ("Hi @(a # b)", 8),
        ("Hi @contact['x", 12),
    ],
)
def test_what_is_wrong_in_a_text_is_told_with_its_place(text, at):
    with pytest.raises(BadExpression) as bad:
        read_text(text)

    assert f"character {at}" in str(bad.value)
    assert str(bad.value).endswith(".")


def test_a_text_does_not_grow_without_end():
    with pytest.raises(Amiss):
        said('@REPT("a", 9000)@REPT("a", 9000)')


def test_a_deep_object_is_amiss():
    deep = "x"
    for _ in range(3000):
        deep = [deep]

    with pytest.raises(Amiss):
        said("@block.response", Scope({**SCOPE.names, "block": {"response": deep}}, NOW))
