"""The documented calls, copied by hand from the tables of the documentation: method and path as the pages print them.

Written down apart from the program, so that it cannot agree with itself. `{a}` stands for the app, `{x}` for any id.
"""

P1, T1 = "/agentassist/api/v1/public/{a}", "/campaign/api/v1/public/{a}"
P2, X2, P11 = "/campaign/api/v2/public/{a}", "/api/v2/public/{a}", "/api/1.1/public/{a}"

CAMPAIGNS = {
    "1 create sms": [("POST", f"{P1}/campaign"), ("POST", f"{P2}/campaign")],
    "2 create sms by template": [("POST", f"{P1}/campaign"), ("POST", f"{P2}/campaign")],
    "3 create sms advanced": [("POST", f"{P1}/campaign"), ("POST", f"{X2}/campaign")],
    "4 create agentless": [("POST", f"{P1}/campaign"), ("POST", f"{P2}/campaign")],
    "5 create progressive": [("POST", f"{P1}/campaign"), ("POST", f"{P2}/campaign")],
    "6 create preview": [("POST", f"{P1}/campaign"), ("POST", f"{P2}/campaign")],
    "7 get sms": [("GET", f"{P1}/campaign/{{x}}"), ("GET", f"{P2}/campaign/{{x}}")],
    "8 get voice": [("GET", f"{P1}/campaign/{{x}}"), ("GET", f"{P2}/campaign/{{x}}")],
    "9 update sms": [("PUT", f"{P1}/campaign/{{x}}"), ("PUT", f"{P2}/campaign/{{x}}")],
    "10 update voice": [("PUT", f"{P1}/campaign/{{x}}"), ("PUT", f"{P2}/campaign/{{x}}")],
    "11 start sms": [("POST", f"{T1}/campaign/{{x}}"), ("POST", f"{P2}/campaign/{{x}}")],
    "12 start voice": [("POST", f"{T1}/campaign/{{x}}"), ("POST", f"{X2}/campaign/trigger/{{x}}")],
    "13 stop sms": [("POST", f"{T1}/campaign/{{x}}"), ("POST", f"{P2}/campaign//trigger/{{x}}")],
    "14 stop voice": [("POST", f"{T1}/campaign/{{x}}"), ("POST", f"{X2}/campaign/trigger/{{x}}")],
    "15 delete sms": [("DELETE", f"{P1}/campaign/{{x}}"), ("DELETE", f"{P2}/campaign/{{x}}")],
    "16 delete voice": [("DELETE", f"{P1}/campaign/{{x}}"), ("DELETE", f"{P2}/campaign/{{x}}")],
    "17 status": [("POST", f"{P1}/campaign/{{x}}/status"), ("POST", f"{P2}/campaign/{{x}}/status")],
    "18 contacts of a run": [("POST", f"{P1}/campaign/{{x}}/status"), ("POST", f"{P2}/campaign/{{x}}/status")],
    "19 list": [("POST", f"{P1}/campaign/getAllCampaignDetails"), ("POST", f"{P2}/campaign/getAllCampaignDetails")],
    "20 schedule on": [("POST", f"{P2}/campaign/schedule")],
    "21 schedule off": [("POST", f"{P2}/campaign/schedule")],
    "22 callback": [("POST", f"{P2}/campaign/{{x}}/callContactAt")],
}
_L1, _L2 = f"{P1}/campaign/contactList", f"{P2}/campaign/contactList"
CONTACT_LISTS = {
    "23 create list": [("POST", f"{_L1}/createContactList"), ("POST", f"{_L2}/createContactList")],
    "24 add contacts": [("POST", f"{P11}/campaign/contactList/addContacts")],
    "25 get list": [("GET", f"{_L1}/{{x}}"), ("GET", f"{_L2}/{{x}}")],
    "26 all lists": [
        *(("POST", f"{base}/getAllListDetails") for base in (_L1, _L2)),
        *(("GET", f"{base}/getAllListDetails") for base in (_L1, _L2)),
    ],
    "27 contacts": [("GET", f"{_L1}/{{x}}/getAllContacts"), ("GET", f"{_L2}/{{x}}/getAllContacts")],
    "28 update list": [("PUT", f"{_L1}/{{x}}"), ("PUT", f"{_L2}/{{x}}")],
    "29 delete list": [("DELETE", f"{_L1}/{{x}}"), ("DELETE", f"{_L2}/{{x}}")],
}
_ANALYTICS = "/agentassist/api/public/analytics/account/{x}"
NEIGHBOURS = {
    "interactionDetails": [("POST", f"{_ANALYTICS}/v2/interactionDetails"), ("POST", f"{_ANALYTICS}/v2/calldetails")],
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
