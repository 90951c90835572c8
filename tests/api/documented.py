"""The documented calls, copied by hand from the tables of the documentation, as the pages print them: query and all.

Written down apart from the program, so that it cannot agree with itself. `{a}` stands for the app, `{x}` for any id,
`{account}` for the account and `{name}` for the name of a campaign.
"""

P1, T1 = "/agentassist/api/v1/public/{a}", "/campaign/api/v1/public/{a}"
P2, X2, P11 = "/campaign/api/v2/public/{a}", "/api/v2/public/{a}", "/api/1.1/public/{a}"

SMS, CALLS = "campaignType=sms", "campaignType=voice"
A = "accountId={account}"

CAMPAIGNS = {
    "1 create sms": [("POST", f"{P1}/campaign?{SMS}"), ("POST", f"{P2}/campaign?{A}&{SMS}")],
    "2 create sms by template": [("POST", f"{P1}/campaign?{SMS}"), ("POST", f"{P2}/campaign?{A}&{SMS}")],
    "3 create sms advanced": [("POST", f"{P1}/campaign?{SMS}"), ("POST", f"{X2}/campaign?{A}&{SMS}")],
    "4 create agentless": [("POST", f"{P1}/campaign?{CALLS}"), ("POST", f"{P2}/campaign?{A}&{CALLS}")],
    "5 create progressive": [("POST", f"{P1}/campaign?{CALLS}"), ("POST", f"{P2}/campaign?{A}&{CALLS}")],
    "6 create preview": [("POST", f"{P1}/campaign?{CALLS}"), ("POST", f"{P2}/campaign?{A}&{CALLS}")],
    "7 get sms": [("GET", f"{P1}/campaign/{{x}}"), ("GET", f"{P2}/campaign/{{x}}?{A}")],
    "8 get voice": [("GET", f"{P1}/campaign/{{x}}"), ("GET", f"{P2}/campaign/{{x}}?{A}")],
    "9 update sms": [("PUT", f"{P1}/campaign/{{x}}?{SMS}"), ("PUT", f"{P2}/campaign/{{x}}?{A}&{SMS}")],
    # The address of the page says sms, its table voice.
    "10 update voice": [
        ("PUT", f"{P1}/campaign/{{x}}?{CALLS}"),
        *(("PUT", f"{P2}/campaign/{{x}}?{A}&{kind}") for kind in (SMS, CALLS)),
    ],
    "11 start sms": [
        ("POST", f"{T1}/campaign/{{x}}?{SMS}&trigger=play"),
        ("POST", f"{P2}/campaign/{{x}}?{SMS}&trigger=play"),
    ],
    "12 start voice": [
        ("POST", f"{T1}/campaign/{{x}}?{CALLS}&trigger=play"),
        ("POST", f"{X2}/campaign/trigger/{{x}}?{A}&{CALLS}&trigger=play"),
    ],
    "13 stop sms": [
        ("POST", f"{T1}/campaign/{{x}}?{SMS}&trigger=stop"),
        ("POST", f"{P2}/campaign//trigger/{{x}}?{A}&{SMS}&trigger=stop"),
    ],
    "14 stop voice": [
        ("POST", f"{T1}/campaign/{{x}}?{CALLS}&trigger=stop"),
        ("POST", f"{X2}/campaign/trigger/{{x}}?{A}&{CALLS}&trigger=stop"),
    ],
    "15 delete sms": [("DELETE", f"{P1}/campaign/{{x}}?{SMS}"), ("DELETE", f"{P2}/campaign/{{x}}?{A}&{SMS}")],
    "16 delete voice": [("DELETE", f"{P1}/campaign/{{x}}?{CALLS}"), ("DELETE", f"{P2}/campaign/{{x}}?{A}&{CALLS}")],
    "17 status": [
        ("POST", f"{P1}/campaign/{{x}}/status?view=status"),
        ("POST", f"{P2}/campaign/{{x}}/status?{A}&view=status"),
    ],
    "18 contacts of a run": [
        ("POST", f"{P1}/campaign/{{x}}/status?view=contacts"),
        ("POST", f"{P2}/campaign/{{x}}/status?view=contacts"),
    ],
    "19 list": [
        ("POST", f"{P1}/campaign/getAllCampaignDetails"),
        ("POST", f"{P2}/campaign/getAllCampaignDetails?{A}"),
    ],
    "20 schedule on": [("POST", f"{P2}/campaign/schedule?enableSchedule=true&campaignName={{name}}")],
    "21 schedule off": [("POST", f"{P2}/campaign/schedule?enableSchedule=false&campaignName={{name}}")],
    "22 callback": [("POST", f"{P2}/campaign/{{x}}/callContactAt")],
}
_L1, _L2 = f"{P1}/campaign/contactList", f"{P2}/campaign/contactList"
CONTACT_LISTS = {
    "23 create list": [("POST", f"{_L1}/createContactList"), ("POST", f"{_L2}/createContactList?{A}")],
    "24 add contacts": [("POST", f"{P11}/campaign/contactList/addContacts")],
    "25 get list": [("GET", f"{_L1}/{{x}}"), ("GET", f"{_L2}/{{x}}?{A}")],
    "26 all lists": [
        (method, f"{base}/getAllListDetails?{query}")
        for base, query in ((_L1, "type=call"), (_L2, f"{A}&type=call"))
        for method in ("POST", "GET")
    ],
    "27 contacts": [("GET", f"{_L1}/{{x}}/getAllContacts?{A}"), ("GET", f"{_L2}/{{x}}/getAllContacts?{A}")],
    "28 update list": [("PUT", f"{_L1}/{{x}}"), ("PUT", f"{_L2}/{{x}}?{A}")],
    "29 delete list": [("DELETE", f"{_L1}/{{x}}"), ("DELETE", f"{_L2}/{{x}}?{A}")],
}
_ANALYTICS = "/agentassist/api/public/analytics/account/{x}"
NEIGHBOURS = {
    "interactionDetails": [
        ("POST", f"{_ANALYTICS}/v2/{word}?offset=0&limit=50") for word in ("interactionDetails", "calldetails")
    ],
    "outboundsms": [("POST", "/api/public/bot/{a}/outboundsms")],
    "dialout": [
        ("POST", "/api/1.1/public/bot/{a}/smartassist/dialout"),
        ("POST", "/api/1.1/public/bot/{a}/V2/smartassist/dialout"),
    ],
    "queues": [("GET", f"{P1}/queues")],
    "priorities": [("PUT", f"{P1}/queues/dynamicqueues/priorities")],
}

ROWS = {**CAMPAIGNS, **CONTACT_LISTS, **NEIGHBOURS}

OURS = {
    ("GET", "/campaign/getallcampaigndetails"),
    ("GET", "/campaign/{thing}/status"),
    ("POST", "/campaign/contactlist/{thing}/getallcontacts"),
    ("GET", "/queues/{thing}"),
    ("GET", "/agentmappings"),
    ("POST", "/agentmappings"),
    ("GET", "/agentmappings/{thing}"),
    ("PUT", "/agentmappings/{thing}"),
    ("DELETE", "/agentmappings/{thing}"),
}
"""What we answer on that wire besides, under the spelling of our routes."""
