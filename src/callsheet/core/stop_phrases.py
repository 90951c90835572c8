# ruff: noqa: E501, ISC004 (a pattern is easier to read in one piece)
"""English sentences about stopping, as patterns over the plain form of a reply: what means STOP, and what does not."""

from __future__ import annotations

import re

AIM = (
    "texting|txting|txt|messaging|messeging|sending|contacting|calling|spamming|bothering|harassing|writing|msging|mailing|receiving|getting|"
    "promo|promos|promotions?|alerts?|ads?|sms|texts?|msgs?|messages?|spam|marketing|notifications?|me|us|all|"
    "these|those|with the|with these|langganan|this stuff"
)
THING = (
    "orders?|delivery|deliveries|payments?|medications?|meds|medicine|shipments?|shipping|appointments?|bookings?|reservations?|"
    "meeting|meetings|cards?|cars?|che[cq]k?ue?s?|music|clock|table|flights?|transfer|game|visit|trip|item|items|room|event|ticket|tickets"
)
NOT = "dont|do not|doesnt|does not|didnt|did not|cant|cannot|can not|couldnt|could not|wont|will not|never|without|wouldnt|would not|not"
DO_NOT = r"(dont|do not|never|dont ever|do not ever|no longer|please not)"

# What stands here is said of something else; it is put out of the way before words are looked for.
GUARDS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b({NOT}) (ever |just )?(stop|start|cancel|quit|end|opt out|unsubscribe)\w*",
        r"\bno need to (stop|cancel)",
        r"\bnon ?stop\w*",
        r"\b(bus|next|which|one|full|pit|my|metro|train|tram|subway|a|last|first|truck|rest|whistle|the) stop\b(?! (texting|sending))",
        r"\bstop (by|at|in|over|off|here|there|near|sign|signs|light|watch|motion|gap|and shop|n shop|shop|working|drinking|smoking|eating|"
        r"worrying|crying|playing|laughing|number \d+|no \d+|\d+ on)\b",
        rf"\b(stop|cancel|remove|end|delete) ((the|my|our|this|that|his|her|a|an) )*(\w+ )?({THING})\b",
        r"\b(reply|text|respond|type|txt) (with )?(stop|end|quit|cancel|unsubscribe|help|start)"
        r"( (to|2|for) (\w+)( out| all)?( messages| texts| sms)?)?",
        r"\bstop to (opt out|unsubscribe|quit|cancel)\b",
        r"\btake the \w+ off\b",
        r"\bin ruhe lassen wir\b",
    )
)
STOPS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(stop|quit|cease) ({AIM})\b",
        rf"\b{DO_NOT} ((you|ever|please) )?(text|txt|message|contact|call|disturb|msg|sms|spam|bother|write|send|authorize|authorise|consent)"
        r"( (me|us|again|anymore|this( number)?( again)?$|any|these|more|messages|texts|sms|anything|msg|to (this|these))\b|$)",
        rf"\b{DO_NOT} (want|wish|need|like|care) (for |to (receive|get|see|have|hear from) )?(\w+ ){{0,3}}"
        r"(texts?|messages?|msgs?|sms|notifications?|you)\b",
        rf"\b{DO_NOT} (want|wish|need|wanna) (to )?(receive|get|see|hear)?( ?(this|these|it|from you))?( anymore| any more| please)?$",
        rf"\b{DO_NOT} (want|wish|like) to be (contacted|texted|messaged|called|bothered|disturbed|on|in|part)\b",
        r"\b(how (do|can|to|does)( i| we| one)?|want to|like to|wish to|need to|please|(told|telling|asked|asking|begging)( you)?( all)? to|"
        r"you (need to|have to|must|should|better)|beg you to|got to) (stop|unsubscribe|opt out)$",
        r"\bno (texts?|messages?|msgs?|sms|contact|spam)( please| pls| plz| anymore)?$",
        r"\b(end|cancel|cease) (the |your |all |these |this )?(texts?|messages?|msgs?|sms|alerts?|notifications?|communications?|contact|spam|calls)\b",
        r"\bget (me )?off (of )?(this|your|the) (\w+ )?lists?\b",
        r"\bunsubscribe (me|us|from|this|my|please|all)\b",
        r"\b(remove|delete|erase|drop) .{0,24}\b(lists?|database|system|contacts|records)\b",
        r"\b(remove|delete|erase|drop) (me|us)\b",
        r"\b(remove|delete|erase|drop|lose|forget) ((my|this|our) (\w+ )?(number|name|contact|info|information|details|phone|cell))\b",
        r"\b(take|get|keep) (me|us|(my|this|our) (\w+ )?(number|name|contact|phone)) (off|of|out)\b",
        r"\b(no|not any) more (\w+ )?(texts?|messages?|msgs?|sms|spam|of (this|these)|notifications?|alerts?|please)\b",
        r"\b(no|not any) more( pls| plz| please)?$",
    )
)
"""Who says this opts out, whatever stands around it."""
