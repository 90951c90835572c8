"""An operator believes what the settings say; a wrong one must be named, never guessed."""

import os
from pathlib import Path

import pytest

from callsheet import settings
from callsheet.core.errors import Invalid
from callsheet.folder import DataFolder
from callsheet.voice_places import local_of


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CALLSHEET_"):
            monkeypatch.delenv(name)


def test_without_anything_the_documented_defaults_hold():
    chosen = settings.load()

    assert (chosen.data, chosen.host, chosen.port) == (Path("var"), "127.0.0.1", 8030)
    assert chosen.database_url.get_secret_value() == ""


def test_a_flag_wins_over_the_environment_and_that_over_the_file(monkeypatch, tmp_path):
    file = tmp_path / "callsheet.toml"
    file.write_text('port = 1001\nhost = "10.0.0.1"\nlog_level = "error"\n')
    monkeypatch.setenv("CALLSHEET_CONFIG", str(file))
    monkeypatch.setenv("CALLSHEET_PORT", "1002")
    monkeypatch.setenv("CALLSHEET_HOST", "10.0.0.2")

    chosen = settings.load(port=1003, host=None)

    assert (chosen.port, chosen.host, chosen.log_level) == (1003, "10.0.0.2", "error")


def test_a_secret_is_read_from_the_file_that_its_twin_names(monkeypatch, tmp_path):
    file = tmp_path / "url"
    file.write_text("postgresql://somewhere/x\n")
    monkeypatch.setenv("CALLSHEET_DATABASE_URL_FILE", str(file))

    assert settings.load().database_url.get_secret_value() == "postgresql://somewhere/x"


def test_a_missing_secret_file_is_named_and_not_taken_for_no_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("CALLSHEET_DATABASE_URL_FILE", str(tmp_path / "gone"))

    with pytest.raises(Invalid) as caught:
        settings.load()

    assert [field.path for field in caught.value.fields] == ["CALLSHEET_DATABASE_URL_FILE"]


def test_every_wrong_setting_is_named_and_its_value_is_not_shown(monkeypatch):
    monkeypatch.setenv("CALLSHEET_PORT", "ninety")
    monkeypatch.setenv("CALLSHEET_LOG_LEVEL", "loudest")

    with pytest.raises(Invalid) as caught:
        settings.load()

    assert {field.path for field in caught.value.fields} == {"CALLSHEET_PORT", "CALLSHEET_LOG_LEVEL"}
    assert "ninety" not in str(caught.value)


PROXIES = "Give addresses and networks with commas between, such as 127.0.0.1,10.1.0.0/16."


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "Give a whole number from 0 to 65535."),
        ("PORT", "65536", "Give a whole number from 0 to 65535."),
        ("LOG_LEVEL", "loudest", "Give debug, info, warning or error."),
        ("SANDBOX_SEED", "1.5", "Give a whole number."),
        ("SANDBOX_WINDOW", "0", "Give a whole number, 1 or more."),
        ("TRUSTED_PROXIES", "*", PROXIES),
        ("TRUSTED_PROXIES", "127.0.0.1,proxy.test", PROXIES),
        ("TRUSTED_PROXIES", "10.1.2.3/16", PROXIES),
    ],
)
def test_a_wrong_setting_is_told_what_it_takes_in_words_of_ours(monkeypatch, name, value, sentence):
    monkeypatch.setenv(f"CALLSHEET_{name}", value)

    with pytest.raises(Invalid) as caught:
        settings.load()

    assert str(caught.value) == f"CALLSHEET_{name}: {sentence}"


def test_a_secret_is_not_shown_when_settings_are_printed(monkeypatch):
    monkeypatch.setenv("CALLSHEET_DATABASE_URL", "postgresql://me:hunter2@host/x")

    assert "hunter2" not in repr(settings.load())


def test_a_mistyped_variable_and_a_mistyped_key_are_unknown(monkeypatch, tmp_path):
    file = tmp_path / "callsheet.toml"
    file.write_text("prot = 8031\n")
    monkeypatch.setenv("CALLSHEET_CONFIG", str(file))
    monkeypatch.setenv("CALLSHEET_PROT", "8031")
    monkeypatch.setenv("CALLSHEET_MASTER_KEY_FILE", "")
    monkeypatch.setenv("CALLSHEET_HOST_FILE", "hosts")

    assert settings.unknown_names() == ["CALLSHEET_HOST_FILE", "CALLSHEET_PROT", "prot"]


@pytest.mark.parametrize("text", ["port = ", "\x00"])
def test_a_file_that_is_no_toml_is_named(monkeypatch, tmp_path, text):
    file = tmp_path / "callsheet.toml"
    file.write_text(text)
    monkeypatch.setenv("CALLSHEET_CONFIG", str(file))

    with pytest.raises(Invalid, match="CALLSHEET_CONFIG"):
        settings.load()


@pytest.mark.parametrize(
    "url", ["mysql://me:hunter2@host/x", "sqlite:///x.db", "/srv/x.db", "postgresql://me:hun/ter2@host/x", "host:5432"]
)
def test_another_database_is_not_taken_for_a_path_and_its_password_is_not_shown(monkeypatch, url):
    monkeypatch.setenv("CALLSHEET_DATABASE_URL", url)

    with pytest.raises(Invalid) as caught:
        settings.load()

    (wrong,) = caught.value.fields
    assert wrong.path == "CALLSHEET_DATABASE_URL"
    assert wrong.message.startswith("Give postgresql://")
    assert "hun" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://me:pa%2Fss@host/x", "postgres://[::1]:5432/x", "postgresql://a:1,b:2/x", "postgresql:///x"]
)
def test_what_the_driver_reads_is_taken(monkeypatch, url):
    monkeypatch.setenv("CALLSHEET_DATABASE_URL", url)

    assert settings.load().is_shared


@pytest.mark.parametrize("key", ["5a", "zz" * 32, "5a" * 33])
def test_a_key_of_another_length_is_named_and_not_shown(monkeypatch, key):
    monkeypatch.setenv("CALLSHEET_MASTER_KEY", key)

    with pytest.raises(Invalid, match="CALLSHEET_MASTER_KEY: Give 64 hexadecimal digits") as caught:
        settings.load()

    assert key not in str(caught.value)


def test_each_setting_says_where_it_came_from(monkeypatch, tmp_path):
    file, secret = tmp_path / "callsheet.toml", tmp_path / "url"
    file.write_text('port = 1001\nhost = "10.0.0.1"\nlog_level = "error"\n')
    secret.write_text("postgresql://me:hunter2@host:5433/x?password=hunter3\n")
    monkeypatch.setenv("CALLSHEET_CONFIG", str(file))
    monkeypatch.setenv("CALLSHEET_DATABASE_URL_FILE", str(secret))
    monkeypatch.setenv("CALLSHEET_HOST", "10.0.0.2")
    monkeypatch.setenv("CALLSHEET_MASTER_KEY", "5a" * 32)

    found = {one.name: (one.value, one.source, one.place) for one in settings.choices(port=1003)}

    assert found["port"] == (1003, "flag", "--port")
    assert found["host"] == ("10.0.0.2", "environment", "CALLSHEET_HOST")
    assert found["log_level"] == ("error", "file", str(file))
    assert found["data"] == ("var", "default", "")
    assert found["sandbox_seed"] == (None, "default", "")
    assert found["master_key"] == (settings.MASK, "environment", "CALLSHEET_MASTER_KEY")
    masked = f"postgresql://me:{settings.MASK}@host:5433/x"
    assert found["database_url"] == (masked, "environment", "CALLSHEET_DATABASE_URL_FILE")


def test_what_settings_show_is_what_the_process_has(monkeypatch, tmp_path):
    file = tmp_path / "callsheet.toml"
    file.write_text('port = 1001\ndata = "there"\n')
    monkeypatch.setenv("CALLSHEET_CONFIG", str(file))
    monkeypatch.setenv("callsheet_log_level", "error")
    monkeypatch.setenv("CALLSHEET_HOST", "")

    chosen = settings.load(data=tmp_path)

    for one in settings.choices(data=tmp_path):
        value = getattr(chosen, one.name)
        if one.name not in ("master_key", "database_url", "voice_node_key"):
            assert str(one.value) == str(value)
        assert (one.source == "default") == (value == settings.Settings.model_fields[one.name].default)


def test_the_node_beside_us_takes_as_many_calls_as_the_setting_says(tmp_path, monkeypatch):
    assert local_of(settings.load(), DataFolder(tmp_path)).most_calls == 400
    monkeypatch.setenv("CALLSHEET_VOICE_NODE_MOST_CALLS", "50")
    assert local_of(settings.load(), DataFolder(tmp_path)).most_calls == 50

    for wrong in ("0", "2001", "some"):
        monkeypatch.setenv("CALLSHEET_VOICE_NODE_MOST_CALLS", wrong)
        with pytest.raises(Invalid, match="a whole number from 1 to 2000"):
            settings.load()


def test_trunks_of_voice_nodes_are_read_and_a_doubtful_list_is_refused(monkeypatch):
    monkeypatch.setenv("CALLSHEET_VOICE_NODE_TRUNKS", "berlin-1=trk-a,trk-b  oslo=trk-c")
    assert settings.load().trunks_of_nodes == {"berlin-1": {"trk-a", "trk-b"}, "oslo": {"trk-c"}}

    for wrong in ("berlin-1", "berlin-1=", "a=b,", "a=b a=c", "=b"):
        monkeypatch.setenv("CALLSHEET_VOICE_NODE_TRUNKS", wrong)
        with pytest.raises(Invalid):
            settings.load()
