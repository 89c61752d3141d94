"""One model to every reader of a body: what could be read in two ways never reaches a provider."""

import pytest

from sternpost.base.errors import BadRequest
from sternpost.gateway.stages.model_in_body import read_named
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.flows.test_openai_passthrough import FORM, form

END = b"--cut--\r\n"
ALLOWED = form(("model", b"lab/m1"))
HIDDEN = form(("model", b"m2")).removesuffix(END)
AS_MODEL = b'Content-Disposition: form-data; name="model"\r\n\r\nm2'


@pytest.mark.parametrize(
    "body",
    [
        HIDDEN + ALLOWED,
        ALLOWED.removesuffix(END) + HIDDEN + END,
        HIDDEN.replace(b"model", b"Model") + ALLOWED,
        HIDDEN.replace(b"\r\n", b"\n") + ALLOWED,
        HIDDEN.replace(b'name="model"', b"name*=utf-8''model") + ALLOWED,
        HIDDEN.replace(b'name="model"', b"name=\"x\"; name*=utf-8''model") + ALLOWED,
        HIDDEN.replace(b'name="model"', b'name*0="mod"; name*1="el"') + ALLOWED,
        HIDDEN.replace(b'name="model"', b'name="mode\\l"') + ALLOWED,
        HIDDEN.replace(b'name="model"', b'name="x"; name=model') + ALLOWED,
        HIDDEN.replace(b'name="model"', b'name="x"; a="\\"; name=model; b="') + ALLOWED,
        HIDDEN.replace(b"; name", b";\r\n name") + ALLOWED,
        HIDDEN.replace(b"\r\n\r\n", b"\r\nx: " + b"y" * 5000 + b"\r\n\r\n") + ALLOWED,
        form(("model", b"lab/--cut\r\n" + AS_MODEL)),
        ALLOWED.removesuffix(b"--\r\n") + b"\r\n" + AS_MODEL,
        ALLOWED + HIDDEN + END,
        form(*[("x", b"")] * 1000, ("model", b"lab/m1")),
    ],
)
def test_a_form_in_which_others_could_find_another_model_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_named(body, FORM)


def test_a_files_name_is_not_taken_for_a_fields() -> None:
    decoy = form(("x", b"lab/m1")).replace(b'"x"', b'"x"; filename="; name=model;"')
    assert read_named(decoy.removesuffix(END) + HIDDEN + END, FORM).model == "m2"


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("Multipart/Form-Data;boundary=cut; boundary=other", "multipart/form-data; boundary=cut"),
        ('multipart/form-data; charset=utf-16; boundary="cut"', "multipart/form-data; boundary=cut"),
        ("application/x-www-form-urlencoded", "application/json"),
        ("application/json; charset=utf-16", "application/json"),
        ("", "application/json"),
    ],
)
async def test_the_provider_is_told_how_the_body_was_read(gateway: Gateway, asked: str, sent: str) -> None:
    body = ALLOWED if "form-data" in sent else b'{"model": "lab/m1", "x": "&model=m2&"}'
    headers = {"content_type": asked, "content_encoding": "identity", "connection": "content-type"}
    answer = await gateway.post("/v1/audio/transcriptions", body, **headers)
    (seen,) = gateway.provider.requests()
    assert answer.status == 200
    assert seen["headers"]["content-type"] == sent
    assert "content-encoding" not in seen["headers"]


def test_a_boundary_that_needs_quotes_gets_them() -> None:
    body = form(("model", b"lab/m1"), boundary="a (b)")
    named = read_named(body, 'multipart/form-data; boundary="a (b)"')
    assert named.content_type == 'multipart/form-data; boundary="a (b)"'
    with pytest.raises(BadRequest):
        read_named(body, 'multipart/form-data; boundary="a\t(b)"')


@pytest.mark.parametrize("body", [b'{"model": "m2", "model": "m1"}', b'{"mod\\u0065l": "m2", "model": "m1"}'])
def test_of_two_models_in_json_the_one_that_was_read_goes_on(body: bytes) -> None:
    named = read_named(body, "application/json")
    assert (named.model, named.renamed("m1")) == ("m1", b'{"model":"m1"}')
