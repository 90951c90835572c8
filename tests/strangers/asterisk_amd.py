"""Asterisk's own AMD(), over real calls: a second Asterisk answers and plays clips, the first one listens.

Only the benchmark, and the count of all clips, ask for it.
"""

import tempfile
import time
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

from callees.corpus import Clip
from callsheet.voice.asterisk.modules import MODULES
from ports import free_port
from strangers.asterisk import running_asterisk

Settings = tuple[int, ...]
"""As AMD() takes them: initial silence, greeting, after greeting silence, total analysis time, minimum word length,
between words silence, maximum number of words, silence threshold, maximum word length. Milliseconds."""
STOCK: Settings = (2500, 1500, 800, 5000, 100, 50, 2, 256, 5000)
"""Those of the sample configuration that it comes with."""
FEWEST: Settings = (2500, 1500, 1500, 10_000, 60, 50, 7, 512, 1500)
"""Tuned for the fewest errors of both kinds together, as shares."""
CAREFUL: Settings = (5000, 5000, 1200, 5000, 80, 120, 5, 3000, 5000)
"""Tuned for the fewest machines taken for people, with at most 1 % of the people taken for machines."""
AT_ONCE = 60
LONGEST_SECONDS = 900
MORE_MODULES = ("pbx_spool", "func_env", "func_strings", "app_amd", "res_pjsip_endpoint_identifier_anonymous")
SPOOL = "spool/outgoing"
"""Files that are moved here are calls that it places."""
_RTP_PORTS = 2000
_CODECS = "disallow=all\nallow=ulaw\ndirect_media=no\n"


def common_files(pjsip: str, extensions: str, rtp_start: int) -> dict[str, str]:
    """Return the configuration of either side."""
    modules = "\n".join(f"load = {name}.so" for name in dict.fromkeys((*MODULES, *MORE_MODULES)))
    return {
        "modules.conf": f"[modules]\nautoload = no\n{modules}\n",
        "pjsip.conf": pjsip,
        "extensions.conf": extensions,
        "rtp.conf": f"[general]\nrtpstart={rtp_start}\nrtpend={rtp_start + _RTP_PORTS}\n",
        "http.conf": "[general]\nenabled=no\n",
        "amd.conf": "[general]\n",
        "logger.conf": "[logfiles]\nmessages => notice,warning,error\n",
    }


def transport(port: int) -> str:
    return f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{port}\n"


def players_files(port: int, sounds: Path) -> dict[str, str]:
    """Return the configuration of who answers: the number that is called is the clip that is played."""
    pjsip = (
        f"[global]\ntype=global\nendpoint_identifier_order=ip,anonymous\n{transport(port)}"
        f"[anonymous]\ntype=endpoint\n{_CODECS}context=clips\n"
    )
    steps = f"[clips]\nexten => _X!,1,Answer()\n same => n,Playback({sounds}/${{EXTEN}})\n same => n,Wait(5)\n"
    return common_files(pjsip, steps, 2 * (free_port() // 2))


def listeners_files(port: int, ledger: Path, all_settings: Sequence[Settings]) -> dict[str, str]:
    """Return the configuration of who calls: extension `settings*clip` listens and writes down what AMD() says."""
    pjsip = (
        f"{transport(free_port())}[carrier]\ntype=endpoint\n{_CODECS}aors=carrier\n"
        f"[carrier]\ntype=aor\ncontact=sip:127.0.0.1:{port}\n"
    )
    lines = ["[listen]"]
    for number, settings in enumerate(all_settings):
        said = f"Set(FILE({ledger},,,al,u)=${{EXTEN}}\t${{AMDSTATUS}})"
        amd = f"AMD({','.join(map(str, settings))})"
        lines += [f"exten => _{number}*!,1,{amd}", f" same => n,{said}", " same => n,Hangup()"]
    return common_files(pjsip, "\n".join(lines) + "\n", 2 * (free_port() // 2))


def detect(clips: Sequence[Clip], all_settings: Sequence[Settings]) -> list[dict[str, str]]:
    """Return for each of the settings what AMD() says of each clip, by name: HUMAN, MACHINE, NOTSURE, HANGUP."""
    with tempfile.TemporaryDirectory(prefix="amd-") as name:
        folder = Path(name)
        sounds, ledger = folder / "clips", folder / "ledger"
        sounds.mkdir()
        (folder / "caller" / SPOOL).mkdir(parents=True)
        ledger.touch()
        for number, clip in enumerate(clips):
            with wave.open(str(sounds / f"{number}.wav"), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(clip.pcm)
        port = free_port()
        with (
            running_asterisk(folder / "player", players_files(port, sounds)),
            running_asterisk(folder / "caller", listeners_files(port, ledger, all_settings)),
        ):
            wanted = [f"{settings}*{clip}" for settings in range(len(all_settings)) for clip in range(len(clips))]
            said = call_all(folder / "caller", ledger, wanted)
    return [
        {clip.name: said[f"{settings}*{number}"] for number, clip in enumerate(clips)}
        for settings in range(len(all_settings))
    ]


def call_all(folder: Path, ledger: Path, wanted: Sequence[str]) -> Mapping[str, str]:
    """Place a call for each, so many at once, and return what came of them."""
    deadline = time.monotonic() + LONGEST_SECONDS
    placed = 0
    while time.monotonic() < deadline:
        said = dict(line.split("\t") for line in ledger.read_text().splitlines())
        if len(said) == len(wanted):
            return said
        for extension in wanted[placed : len(said) + AT_ONCE]:
            clip = extension.partition("*")[2]
            written = folder / f"{extension}.call"
            written.write_text(f"Channel: PJSIP/{clip}@carrier\nContext: listen\nExtension: {extension}\nPriority: 1\n")
            written.rename(folder / SPOOL / written.name)
            placed += 1
        time.sleep(0.1)
    raise RuntimeError(f"AMD() said something of {len(said)} of {len(wanted)} calls.")
