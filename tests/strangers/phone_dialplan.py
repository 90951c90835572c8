"""The dialplan of the phone network, written from the table of its phones."""

from collections.abc import Sequence
from pathlib import Path

from strangers.phones import ANSWER, PHONES, USUAL

_AT = "${STRFTIME(,UTC,%s.%3q)}"
_NUMBER = "${PJSIP_HEADER(read,From)}\t${PJSIP_HEADER(read,P-Asserted-Identity)}"
_CAUSE = "${IF($[0${HANGUPCAUSE}]?${HANGUPCAUSE}:${CAUSE})}"
"""What was sent by `PJSIPHangup` is the channel's cause only when it was read, which may be too late for its end."""
_TIMES = "GLOBAL(TIMES_${FILTER(0-9,${NUMBER})})"


def dialplan(ledger: Path, recordings: Path) -> str:
    """Return `extensions.conf`: each call is written into the ledger when it comes, is answered, and ends."""

    def note(event: str, fields: str = "") -> str:
        return f"Set(FILE({ledger},,,al,u)={event}\t{_AT}\t${{UNIQUEID}}\t{fields})"

    def steps(all_steps: Sequence[str]) -> list[str]:
        taken: list[str] = []
        for step in all_steps:
            taken.append(step.replace("{recording}", f"{recordings}/${{UNIQUEID}}.wav"))
            if step == ANSWER:
                taken.append(note("answered", "${CHANNEL(rtp,secure,audio)}"))
        return [f" same => n,{step}" for step in taken]

    comes = steps(
        (
            "Set(NUMBER=${EXTEN})",
            note("called", f"${{NUMBER}}\t{_NUMBER}"),
            f"Set(TIMES=$[0${{{_TIMES}}} + 1])",
            f"Set({_TIMES}=${{TIMES}})",
            "Goto(phones,${NUMBER:-4},1)",
        )
    )
    ends = f"exten => h,1,{note('ended', _CAUSE)}"
    lines = ["[pstn]", "exten => _[+0-9]!,1,NoOp()", *comes, ends, "[phones]", ends]
    for ending, phone in (*PHONES.items(), ("_XXXX", USUAL)):
        lines.append(f"exten => {ending},1,NoOp()")
        if phone.again:
            lines.append(" same => n,GotoIf($[${TIMES} > 1]?again)")
        lines += steps(phone.steps)
        if phone.again:
            lines += [" same => n(again),NoOp()", *steps(phone.again)]
    back = ("Dial(PJSIP/us@${EXTEN},20)", note("called_back", "${HANGUPCAUSE}"))
    lines += ["[back]", "exten => _[a-z]!,1,NoOp()", *steps(back)]
    return "\n".join(lines) + "\n"
